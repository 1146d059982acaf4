//! Markdown: fenced blocks, and relative links that must lead somewhere.

use crate::gates::{read, relative, rust_files, walk};
use crate::stages::{Outcome, StageResult};
use std::path::{Path, PathBuf};

/// A fenced block: its language word, the line it starts on, its text.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// All fenced blocks of a page, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(language), None) => {
                open = Some(Block { language: language.trim().into(), line: index + 1, text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    found
}

/// Every relative link of every page leads to a file or folder of the repository.
pub(crate) fn links(root: &Path) -> StageResult {
    let mut pages = pages(root)?;
    pages.sort();
    let (mut count, mut broken) = (0, Vec::new());
    for page in &pages {
        let folder = page.parent().unwrap_or(root);
        for (line, target) in targets(&read(page)?) {
            let path = target.split('#').next().unwrap_or("");
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            if !folder.join(path).exists() {
                broken.push(format!("{}:{line}: {target}", relative(root, page)));
            }
        }
    }
    if broken.is_empty() {
        return Ok(Outcome::Passed(format!("{count} links in {} pages", pages.len())));
    }
    Err(format!("links that lead nowhere:\n{}", broken.join("\n")))
}

/// Every equation that the sources cite as `docs/theory/PAGE.md, (X.n)` stands on that page as `\\tag{X.n}` or `(X.n)`.
pub(crate) fn citations(root: &Path) -> StageResult {
    let (mut count, mut missing) = (0, Vec::new());
    let own = root.join("xtask");
    for file in rust_files(root)?.iter().filter(|f| !f.starts_with(&own)) {
        let text = read(file)?.replace("\n///", "").replace("\n//!", "").replace("\n    ///", "");
        for part in text.split("docs/theory/").skip(1) {
            let Some((page, rest)) = part.split_once(".md") else { continue };
            let shown = format!("{} cites docs/theory/{page}.md", relative(root, file));
            let Ok(theory) = read(&root.join("docs/theory").join(format!("{page}.md"))) else {
                missing.push(format!("{shown}, which is not there"));
                continue;
            };
            for label in labels(rest) {
                count += 1;
                if !theory.contains(&format!("\\tag{{{label}}}")) && !theory.contains(&format!("({label})")) {
                    missing.push(format!("{shown}, ({label}), which is not on that page"));
                }
            }
        }
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(Outcome::Passed(format!("{count} citations")));
    }
    Err(format!("equations cited but not found:\n{}", missing.join("\n")))
}

/// Equation labels such as `K.2` from the text that follows a page's name: `, (K.2), (K.3)-(K.5)`, `, equations (K.1)`.
fn labels(rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = rest;
    loop {
        rest = rest.trim_start_matches([',', ' ', '-', '\n']);
        for word in ["equations ", "equation ", "and "] {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        let Some((label, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) else {
            return found;
        };
        let is_label = label.split_once('.').is_some_and(|(letter, number)| {
            letter.len() == 1 && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        });
        if !is_label {
            return found;
        }
        found.push(label.to_owned());
        rest = after;
    }
}

/// The pages of the repository: those at the root, and all below the folders with documentation.
fn pages(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut pages = Vec::new();
    for folder in ["docs", "crates", "peers", "golden"] {
        if root.join(folder).is_dir() {
            walk(&root.join(folder), "md", &mut pages)?;
        }
    }
    let entries = std::fs::read_dir(root).map_err(|e| format!("{}: {e}", root.display()))?;
    pages.extend(
        entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "md")),
    );
    Ok(pages)
}

/// Link targets `](target)` outside fenced blocks and code spans, with their lines.
fn targets(page: &str) -> Vec<(usize, String)> {
    let (mut found, mut fenced) = (Vec::new(), false);
    for (index, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for part in prose.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_the_name_of_the_page() {
        assert_eq!(labels(", (K.2), (K.3)-(K.5). More (K.9)"), ["K.2", "K.3", "K.5"]);
        assert_eq!(labels(", equations (T.1) and (T.2)"), ["T.1", "T.2"]);
        assert!(labels(" has the rest").is_empty());
    }

    #[test]
    fn blocks_and_links_are_found() {
        let page = "see [a](b.md) and ![c](d.svg)\n```sh\nls [x](y)\n```\n`[no](code)`\n";
        assert_eq!(blocks(page), [Block { language: "sh".into(), line: 2, text: "ls [x](y)\n".into() }]);
        assert_eq!(targets(page), [(1, "b.md".into()), (1, "d.svg".into())]);
    }
}
