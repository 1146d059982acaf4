//! The report as one page: no scripts, no network, readable on screen, in the dark and on paper.

use super::catalogue::{PAPERS, Paper};
use super::claim::{Group, Table, Verdict};
use super::numbers::{bound_text, value_text};
use super::report::{ClaimReport, Completeness, Report};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn render(report: &Report) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    let _ = write!(page, "<title>{}</title>\n<style>\n", paper(report).title);
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n<main>\n");
    page.push_str(&header(report));
    page.push_str(&summary(report));
    for group in Group::ALL {
        let claims: Vec<&ClaimReport> = report.claims.iter().filter(|c| c.group == group).collect();
        if !claims.is_empty() {
            let _ = writeln!(page, "<section>\n<h2>{}</h2>", group.heading());
            claims.iter().for_each(|claim| page.push_str(&article(claim)));
            page.push_str("</section>\n");
        }
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// The paper that a report is about.
fn paper(report: &Report) -> &'static Paper {
    PAPERS.iter().find(|p| p.name == report.paper).unwrap_or(&PAPERS[0])
}

/// Text that stands for itself in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as HTML, with what stands between grave accents as code.
fn with_code(text: &str) -> String {
    let parts = escaped(text);
    let mut out = String::with_capacity(parts.len());
    for (i, part) in parts.split('`').enumerate() {
        if i > 0 {
            out.push_str(if i % 2 == 1 { "<code>" } else { "</code>" });
        }
        out.push_str(part);
    }
    out
}

fn header(report: &Report) -> String {
    let paper = paper(report);
    let mut out = format!("<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", paper.heading, paper.lead);
    let profile = report.profile.name();
    let _ = writeln!(
        out,
        "<p class=\"meta\">popgrad {}, numerics {}, seed {}, {profile} profile.</p>",
        report.popgrad, report.numerics, report.seed
    );
    out.push_str(&banner(report));
    out.push_str("</header>\n");
    out
}

fn banner(report: &Report) -> String {
    let (measured, waiting) = (report.claims.len(), report.pending.len());
    let off = report.claims.iter().filter(|c| !c.agrees()).count();
    let partial = match report.completeness {
        Completeness::Complete => String::new(),
        Completeness::Running => {
            format!(
                " This report is partial: {waiting} more claims are being measured, or the run was cut off."
            )
        }
        Completeness::Interrupted => {
            format!(" This report is partial: the run was broken off before {waiting} more claims.")
        }
    };
    let class = if off > 0 {
        "bad"
    } else if partial.is_empty() {
        "good"
    } else {
        "partial"
    };
    let verdicts = match (measured, off) {
        (0, _) => "No claim is measured yet.".to_owned(),
        (n, 0) => format!("All {n} claims measured have the expected verdict."),
        (n, k) => format!("{k} of {n} claims measured do not have the expected verdict."),
    };
    format!("<p class=\"banner {class}\">{verdicts}{partial}</p>\n")
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::PaperWrong => "paper is wrong",
        Verdict::Open => "open",
        Verdict::NotReproduced => "not reproduced",
    }
}

fn badge(claim: &ClaimReport) -> String {
    format!("<span class=\"badge {}\">{}</span>", claim.verdict.name(), words(claim.verdict))
}

fn summary(report: &Report) -> String {
    let mut out = String::from(
        "<nav>\n<table class=\"summary\">\n<thead><tr><th>Claim</th><th>Place in the paper</th>\
         <th>Verdict</th></tr></thead>\n<tbody>\n",
    );
    for claim in &report.claims {
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            claim.id,
            escaped(claim.title),
            escaped(claim.source),
            badge(claim)
        );
    }
    for id in &report.pending {
        let _ = writeln!(out, "<tr class=\"pending\"><td>{id}</td><td></td><td>not measured</td></tr>");
    }
    out.push_str("</tbody>\n</table>\n</nav>\n");
    out
}

fn article(claim: &ClaimReport) -> String {
    let mut out =
        format!("<article id=\"{}\">\n<h3>{} {}</h3>\n", claim.id, escaped(claim.title), badge(claim));
    let _ = writeln!(
        out,
        "<blockquote><p>{}</p><footer>{}</footer></blockquote>",
        escaped(claim.statement),
        escaped(claim.source)
    );
    let _ = writeln!(out, "<p>{}</p>", escaped(claim.method));
    if !claim.note.is_empty() {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", with_code(claim.note));
    }
    if claim.verdict != claim.expected {
        let _ = writeln!(out, "<p class=\"bad\">The expected verdict is: {}.</p>", words(claim.expected));
    }
    out.push_str(&measured(claim));
    for remark in &claim.findings.remarks {
        let _ = writeln!(out, "<p>{}</p>", escaped(remark));
    }
    claim.findings.tables.iter().for_each(|table| out.push_str(&table_html(table)));
    for picture in &claim.findings.figures {
        let _ = writeln!(
            out,
            "<figure>\n{}<figcaption>{}</figcaption>\n</figure>",
            picture.svg,
            escaped(&picture.caption)
        );
    }
    out.push_str("</article>\n");
    out
}

fn measured(claim: &ClaimReport) -> String {
    if claim.findings.measured.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<div class=\"wide\"><table class=\"measured\">\n<thead><tr><th>Quantity</th><th>Measured</th><th>Bound</th><th></th></tr></thead>\n<tbody>\n",
    );
    for m in &claim.findings.measured {
        let mark = match (&m.bound, m.satisfied) {
            (None, _) => "",
            (Some(_), true) => "<span class=\"yes\" title=\"within the bound\">\u{2713}</span>",
            (Some(_), false) => "<span class=\"no\" title=\"outside the bound\">\u{2717}</span>",
        };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{mark}</td></tr>",
            escaped(&m.quantity),
            value_text(m),
            bound_text(m)
        );
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

fn table_html(table: &Table) -> String {
    let mut out =
        format!("<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>", escaped(&table.caption));
    table.head.iter().for_each(|cell| {
        let _ = write!(out, "<th>{}</th>", escaped(cell));
    });
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        row.iter().for_each(|cell| {
            let _ = write!(out, "<td class=\"number\">{}</td>", escaped(cell));
        });
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}
