//! The table of the report.

use std::fmt;

use gateway_core::decider::RoleName;
use gateway_sim::experiment::Comparison;

use super::escape::Escaped;
use crate::cli::simulate::columns::COLUMNS;

/// Policies as rows, the best of each column marked.
pub(super) struct Rows<'a>(pub(super) &'a Comparison);

impl fmt::Display for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policies = &self.0.policies;
        let columns: Vec<_> = COLUMNS
            .iter()
            .filter_map(|column| Some((column, column.cells(policies)?)))
            .collect();
        f.write_str("<div class=\"wide\"><table><thead><tr><th>policy</th>")?;
        for (column, _) in &columns {
            write!(
                f,
                "<th>{}<small>{}</small></th>",
                column.title, column.detail
            )?;
        }
        f.write_str("</tr></thead><tbody>")?;
        for (row, policy) in policies.iter().enumerate() {
            write!(f, "<tr><td>{}</td>", Escaped(&policy.name))?;
            for (_, cells) in &columns {
                let class = if cells[row].best {
                    " class=\"best\""
                } else {
                    ""
                };
                write!(f, "<td{class}>{}</td>", cells[row].text)?;
            }
            f.write_str("</tr>")?;
        }
        f.write_str("</tbody></table></div>")
    }
}

/// A role as it stands behind an engine's chip.
pub(super) fn role(role: RoleName) -> &'static str {
    match role {
        RoleName::Both => "",
        RoleName::Prefill => " prefill",
        RoleName::Decode => " decode",
    }
}
