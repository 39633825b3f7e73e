//! Requests and tokens in a minute, as limits of a model: <https://docs.litellm.ai/docs/proxy/load_balancing>
//!
//! A deployment's `rpm` and `tpm` are weights, unless the router is told to heed them: then a model takes no more than
//! its deployments do together. What a deployment says of each key holds in any case.

use super::super::sheet::{Grade, Sheet, text, texts};
use super::super::source::Said;
use super::target::{Deployment, OF_EACH_KEY};
use crate::config::document::Value;

/// Which of the deployments' own rates the router heeds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heeded {
    pub requests: bool,
    pub tokens: bool,
}

/// The limits of a model that has these names.
pub(super) fn write(
    names: &[String],
    deployments: &[Deployment<'_>],
    heeded: Heeded,
    sheet: &mut Sheet<'_>,
) {
    let together = |key: &str, is_heeded: bool| {
        // One that says nothing takes any number.
        let all = deployments.iter().map(|deployment| said(deployment, key));
        let all: Option<Vec<_>> = all.collect();
        all.filter(|all| is_heeded && !all.is_empty())
    };
    let own = [
        ("requests", together("rpm", heeded.requests)),
        ("tokens", together("tpm", heeded.tokens)),
    ];
    let how = "of the model's deployments together";
    one(&names[0], names, "all", own, how, sheet);

    // Of several deployments the first decides.
    let first = |key: &str| {
        let mut all = deployments.iter();
        let found = all.find_map(|deployment| said(deployment, key));
        found.map(|found| vec![found])
    };
    let [requests, tokens] = OF_EACH_KEY;
    let of_each_key = [("requests", first(requests)), ("tokens", first(tokens))];
    let name = format!("{} for each key", names[0]);
    let how = "in windows that begin with a request";
    one(&name, names, "key", of_each_key, how, sheet);
}

type Numbers<'d, 't> = Option<Vec<(f64, &'d Said<'t>)>>;

fn said<'d, 't>(deployment: &'d Deployment<'t>, key: &str) -> Option<(f64, &'d Said<'t>)> {
    let mut rates = deployment.rates.iter();
    let (_, number, said) = rates.find(|(known, ..)| *known == key)?;
    (*number >= 1.0).then_some((*number, said))
}

fn one(
    name: &str,
    models: &[String],
    per: &str,
    amounts: [(&str, Numbers<'_, '_>); 2],
    how: &str,
    sheet: &mut Sheet<'_>,
) {
    let mut given = amounts.iter().filter_map(|(_, numbers)| numbers.as_ref());
    let Some((_, said)) = given.next().and_then(|numbers| numbers.first()) else {
        return;
    };
    let mut item = sheet.item("limits", &said.path, said.line);
    item.assume("name", text(name));
    for (native, numbers) in &amounts {
        let Some(numbers) = numbers else { continue };
        let sum: f64 = numbers.iter().map(|(number, _)| number.floor()).sum();
        let sum = Value::Integer(format!("{sum:.0}"));
        for (_, said) in numbers {
            let grade = Grade::Approximate(how.to_owned());
            item.set(sheet, native, sum.clone(), said, grade);
        }
    }
    item.assume("window", text("60s"));
    item.assume("per", text(per));
    item.assume("models", texts(models.to_vec(), said.line));
    sheet.put("limits", item);
}
