//! What Jinja's selecting filters give: values to go through, and nothing else.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State, filters};

/// Values in a row, of unknown number: true even when empty, without JSON.
#[derive(Debug)]
pub(super) struct Generator(Vec<Value>);

impl Object for Generator {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        None
    }
}

/// Makes the filters give generators.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("__map", filters::map);
    environment.add_filter("__select", filters::select);
    environment.add_filter("__reject", filters::reject);
    environment.add_filter("__selectattr", filters::selectattr);
    environment.add_filter("__rejectattr", filters::rejectattr);
    for (name, engine) in [
        ("map", "__map"),
        ("select", "__select"),
        ("reject", "__reject"),
        ("selectattr", "__selectattr"),
        ("rejectattr", "__rejectattr"),
    ] {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                generate(state, engine, &args.into_values())
            },
        );
    }
}

fn generate(state: &mut State<'_, '_>, engine: &str, args: &[Value]) -> Result<Value, Error> {
    let values = state.apply_filter(engine, args)?;
    Ok(Value::from_object(Generator(values.try_iter()?.collect())))
}
