//! Mistakes on the command line itself, each turned into one sentence.

use crate::failure::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use popgrad::Kind;

/// The failure of a command line that did not parse; help and version texts are printed here.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            match crate::document::print(&error.render().to_string()) {
                Ok(()) => Failure::Shown,
                Err(failure) => failure,
            }
        }
        _ => Failure::plain(&sentence(error), Kind::Input),
    }
}

fn sentence(error: &clap::Error) -> String {
    let argument = option_name(&text(error, ContextKind::InvalidArg));
    let value = text(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let near = text(error, ContextKind::SuggestedArg);
            format!("{argument} is not an option here{}", hint(&near, "; popgrad VERB --help lists them"))
        }
        ErrorKind::InvalidSubcommand => {
            let verb = text(error, ContextKind::InvalidSubcommand);
            let near = text(error, ContextKind::SuggestedSubcommand);
            match inside(error) {
                Some(outer) => {
                    let list = format!("; popgrad {outer} --help lists them");
                    format!("{outer} cannot do {verb}{}", hint(&near, &list))
                }
                None => format!("{verb} is not a verb{}", hint(&near, "; popgrad --help lists them")),
            }
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a verb is needed; popgrad --help lists them".to_owned()
        }
        ErrorKind::MissingRequiredArgument => {
            format!("{} is missing; popgrad VERB --help describes it", text(error, ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} needs a value"),
        ErrorKind::InvalidValue => {
            let valid = text(error, ContextKind::ValidValue);
            format!(
                "{argument}: \"{value}\" is none of {valid}{}",
                hint(&text(error, ContextKind::SuggestedValue), "")
            )
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
            format!("{argument}: \"{value}\" {reason}")
        }
        ErrorKind::ArgumentConflict => {
            let prior = option_name(&text(error, ContextKind::PriorArg));
            if prior.is_empty() || prior == argument {
                format!("{argument} is given twice; give it once")
            } else {
                format!("{argument} cannot be used with {prior}; give one of them")
            }
        }
        _ => first_line(error),
    }
}

/// The verb that an error inside a verb belongs to, from the usage line.
fn inside(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    let usage = usage.to_string();
    let verb = usage.split_whitespace().nth(2)?;
    (!verb.starts_with(['<', '['])).then(|| verb.to_owned())
}

fn hint(near: &str, otherwise: &str) -> String {
    if near.is_empty() { otherwise.to_owned() } else { format!("; did you mean {near}?") }
}

/// What clap knows about an error, lists joined by commas.
fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(s)) => s.clone(),
        Some(ContextValue::Strings(list)) => list.join(", "),
        _ => String::new(),
    }
}

/// `--step` out of `--step <ETA>`; an argument without a name is called `<KIND>`, needed or not.
fn option_name(usage: &str) -> String {
    let name = usage.split([' ', '=']).next().unwrap_or_default();
    name.strip_prefix('[')
        .and_then(|x| x.strip_suffix(']'))
        .map_or_else(|| name.to_owned(), |x| format!("<{x}>"))
}

fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
