//! The page as a whole.

use std::fmt;

use gateway_sim::experiment::{Comparison, PolicyResult};

use super::{
    escape::Escaped,
    loads::Loads,
    plot::{Plot, look},
    rows::Rows,
};

/// The report on a comparison.
pub(in crate::cli::simulate) fn page(comparison: &Comparison) -> String {
    Page(comparison).to_string()
}

struct Page<'a>(&'a Comparison);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(comparison) = self;
        let name = Escaped(&comparison.scenario);
        write!(
            f,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title><style>{}</style></head><body>",
            include_str!("style.css")
        )?;
        write!(f, "<h1>{name}</h1><p>{}</p>", Escaped(&comparison.about))?;
        facts(f, comparison)?;
        write!(f, "{}", Rows(comparison))?;
        f.write_str("<h2>Time to the first token</h2>")?;
        legend(f, comparison)?;
        write!(f, "{}", first_tokens(comparison))?;
        if let Some(goodput) = comparison.capacity_goodput {
            f.write_str("<h2>Goodput against rate</h2>")?;
            legend(f, comparison)?;
            write!(f, "{}", goodputs(comparison, goodput))?;
        }
        f.write_str("<h2>Load of the engines</h2>")?;
        for (number, policy) in comparison.policies.iter().enumerate() {
            write!(f, "{}", Loads(number, policy))?;
        }
        f.write_str("</body></html>\n")
    }
}

fn facts(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    let Comparison {
        fleet,
        workload,
        objectives,
        seeds,
        ..
    } = comparison;
    write!(
        f,
        "<p>{}; {} requests at {:.2} a second; {:.0} tokens in, {:.0} out; {:.0} % of blocks came before; {} seeds</p>\
         <p>Objectives: first token in {:.0} ms or {:.0} ms per 1,000 prompt tokens, whichever is more; then {:.0} ms a token.</p>",
        Escaped(fleet),
        workload.requests,
        workload.rate,
        workload.input_tokens,
        workload.output_tokens,
        workload.reuse * 100.0,
        seeds.len(),
        objectives.ttft_ms,
        objectives.ttft_ms_per_1k,
        objectives.tpot_ms
    )
}

fn legend(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    f.write_str("<div class=\"legend\">")?;
    for (number, policy) in comparison.policies.iter().enumerate() {
        let (colour, dash) = look(number);
        write!(
            f,
            "<span><svg class=\"key\" viewBox=\"0 0 24 10\"><line x1=\"0\" x2=\"24\" y1=\"5\" y2=\"5\" stroke=\"var(--c{colour})\" \
             stroke-width=\"3\" stroke-dasharray=\"{dash}\"/></svg>{}</span>",
            Escaped(&policy.name)
        )?;
    }
    f.write_str("</div>")
}

/// Share of the requests that had their first token within a time.
fn first_tokens(comparison: &Comparison) -> Plot<'_> {
    let points = |policy: &PolicyResult| {
        let shares = (0_u32..).map(|percent| f64::from(percent) / 100.0);
        let times = policy.ttft_percentiles_ms.iter();
        times.zip(shares).map(|(ms, share)| [*ms, share]).collect()
    };
    Plot {
        title: "Share of the requests that had their first token within a time, for each policy",
        x_title: "milliseconds to the first token",
        y_title: "share of served requests",
        logarithmic: true,
        mark: None,
        curves: curves(comparison, points),
    }
}

/// Share of good requests at each rate that was tried.
fn goodputs(comparison: &Comparison, target: f64) -> Plot<'_> {
    let rate = comparison.workload.rate;
    let points = |policy: &PolicyResult| {
        let trials = policy.capacity.iter().flat_map(|capacity| &capacity.trials);
        trials
            .map(|[factor, goodput]| [factor * rate, *goodput])
            .collect()
    };
    Plot {
        title: "Share of the requests within both objectives, against their rate, for each policy",
        x_title: "requests a second",
        y_title: "goodput",
        logarithmic: false,
        mark: Some(target),
        curves: curves(comparison, points),
    }
}

fn curves(
    comparison: &Comparison,
    points: impl Fn(&PolicyResult) -> Vec<[f64; 2]>,
) -> Vec<(usize, &str, Vec<[f64; 2]>)> {
    let policies = comparison.policies.iter().enumerate();
    policies
        .map(|(number, policy)| (number, &*policy.name, points(policy)))
        .collect()
}
