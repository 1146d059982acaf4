//! Markdown: fenced blocks, and relative links that must lead somewhere.

use crate::gates::{read, relative, walk};
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
    fn blocks_and_links_are_found() {
        let page = "see [a](b.md) and ![c](d.svg)\n```sh\nls [x](y)\n```\n`[no](code)`\n";
        assert_eq!(blocks(page), [Block { language: "sh".into(), line: 2, text: "ls [x](y)\n".into() }]);
        assert_eq!(targets(page), [(1, "b.md".into()), (1, "d.svg".into())]);
    }
}
