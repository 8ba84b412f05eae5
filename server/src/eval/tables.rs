//! Reports as tables: aligned for a terminal, with every interval, and as GitHub Markdown, rounded for a page.
//!
//! In Markdown areas have two decimals and rates whole per cents, one decimal below ten; the checks of targets have one
//! decimal more, because 0.97 that misses 0.97 would be a riddle.

use super::report::{CALIBRATED, DetectorMetrics, Metrics, Ordering, Report};
use super::targets::Check;
use std::io::Write;

/// The detectors shown beside the calibrated log-odds, where they were measured: mean log-probability, Fast-DetectGPT
/// (arXiv 2310.05130), the log-likelihood log-rank ratio (arXiv 2306.05540) and Binoculars (arXiv 2401.12070).
const BESIDE: [&str; 4] = ["mean_logprob", "fast_detectgpt", "lrr", "binoculars"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Terminal,
    Markdown,
}

#[derive(Debug)]
struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(title: &str, header: &[&str]) -> Self {
        let header = header.iter().map(|&cell| cell.to_owned()).collect();
        Self { title: title.to_owned(), header, rows: Vec::new() }
    }
}

/// Writes the report as tables for a person.
pub fn write_tables(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    for (index, table) in tables(report, Style::Terminal).into_iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", table.title)?;
        let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
        write_table(&header, &table.rows, out)?;
    }
    Ok(())
}

/// Writes the report as GitHub Markdown.
pub fn write_markdown(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    for (index, table) in tables(report, Style::Markdown).into_iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}:\n", table.title)?;
        writeln!(out, "| {} |", table.header.join(" | "))?;
        writeln!(out, "|{}", "---|".repeat(table.header.len()))?;
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    Ok(())
}

fn tables(report: &Report, style: Style) -> Vec<Table> {
    let mut tables = vec![by_dataset(report, style), long(report, style)];
    for (&field, groups) in report.by.iter().filter(|(field, _)| **field != "dataset") {
        tables.push(by_field(field, groups, style));
    }
    tables.push(beside(report, "AUROC beside zero-shot detectors on the same texts", |m| {
        area(style, m.auroc, m.auroc_ci)
    }));
    tables.push(beside(report, "TPR at 1 % FPR beside zero-shot detectors on the same texts", |m| {
        percent(style, m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci)
    }));
    if style == Style::Terminal {
        tables.push(detectors(report, style));
    }
    tables.push(reliability(report));
    tables.extend(targets(report));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Name and metrics of each file, and of all together where there are several.
fn sets(report: &Report) -> Vec<(&str, &Metrics)> {
    let sets = report.datasets.iter().map(|(name, set)| (name.as_str(), &set.metrics));
    let all = (report.datasets.len() != 1).then_some(("all", &report.overall));
    sets.chain(all).collect()
}

fn by_dataset(report: &Report, style: Style) -> Table {
    let header = [
        "set",
        "human / AI",
        "AUROC",
        "TPR at 1 % FPR",
        "at 5 %",
        "humans flagged",
        "AI flagged",
        "AI missed",
        "unclear",
    ];
    let mut table = Table::new("By data set", &header);
    for (name, m) in sets(report) {
        table.rows.push(vec![
            name.to_owned(),
            format!("{} / {}", m.n_human, m.n_ai),
            area(style, m.auroc, m.auroc_ci),
            percent(style, m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci),
            percent(style, m.tpr_at_fpr_5, m.tpr_at_fpr_5_ci),
            percent(style, m.fpr, m.fpr_ci),
            percent(style, m.tpr, m.tpr_ci),
            percent(style, m.missed, m.missed_ci),
            percent(style, m.unclear, None),
        ]);
    }
    table
}

fn long(report: &Report, style: Style) -> Table {
    let header =
        ["set", "human / AI", "AUROC", "TPR at 1 % FPR", "at 5 %", "texts over 100 words", "of them unclear"];
    let mut table = Table::new("Texts of over 150 words", &header);
    for (name, m) in sets(report) {
        let mut row = vec![name.to_owned()];
        row.extend(ordering(&m.over_150_words, style));
        row.push(m.n_over_100_words.to_string());
        row.push(percent(style, m.unclear_over_100_words, m.unclear_over_100_words_ci));
        table.rows.push(row);
    }
    table
}

fn ordering(m: &Ordering, style: Style) -> [String; 4] {
    [
        format!("{} / {}", m.n_human, m.n_ai),
        area(style, m.auroc, m.auroc_ci),
        percent(style, m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci),
        percent(style, m.tpr_at_fpr_5, m.tpr_at_fpr_5_ci),
    ]
}

/// Of generators and kinds also what is measured within files, where longer texts are then taken from too.
fn by_field(field: &str, groups: &std::collections::BTreeMap<String, Metrics>, style: Style) -> Table {
    let one_class = groups.values().any(|m| m.same_file.is_some());
    let mut header = vec![field, "human / AI"];
    if one_class {
        header.extend(["AUROC, all files", "AUROC in its files", "TPR at 1 % FPR in them"]);
    } else {
        header.extend(["AUROC", "TPR at 1 % FPR"]);
    }
    header.extend(["AUROC over 150 words", "TPR at 1 % FPR over 150 words"]);
    header.extend(["humans flagged", "AI flagged", "AI missed", "unclear"]);
    let mut table = Table::new(&format!("By {field}"), &header);
    for (name, m) in groups {
        let mut row = vec![name.clone(), format!("{} / {}", m.n_human, m.n_ai)];
        row.push(area(style, m.auroc, m.auroc_ci));
        let long = if let Some(same) = &m.same_file {
            row.push(area(style, same.all.auroc, same.all.auroc_ci));
            row.push(percent(style, same.all.tpr_at_fpr_1, same.all.tpr_at_fpr_1_ci));
            &same.over_150_words
        } else {
            row.push(percent(style, m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci));
            &m.over_150_words
        };
        row.push(area(style, long.auroc, long.auroc_ci));
        row.push(percent(style, long.tpr_at_fpr_1, long.tpr_at_fpr_1_ci));
        row.push(percent(style, m.fpr, m.fpr_ci));
        row.push(percent(style, m.tpr, m.tpr_ci));
        row.push(percent(style, m.missed, m.missed_ci));
        row.push(percent(style, m.unclear, None));
        table.rows.push(row);
    }
    table
}

fn beside(report: &Report, title: &str, cell: impl Fn(&DetectorMetrics) -> String) -> Table {
    let measured = |name: &str| report.datasets.values().any(|set| set.beside.contains_key(name));
    let names: Vec<&str> =
        [CALIBRATED].into_iter().chain(BESIDE).filter(|name| *name == CALIBRATED || measured(name)).collect();
    let mut header = vec!["set", "texts"];
    header.extend(&names);
    let mut table = Table::new(title, &header);
    for (name, set) in &report.datasets {
        let most = set.beside.values().map(|m| m.n).max().unwrap_or(0);
        let mut row = vec![name.clone(), most.to_string()];
        row.extend(names.iter().map(|&name| set.beside.get(name).map_or_else(|| "–".to_owned(), &cell)));
        table.rows.push(row);
    }
    table
}

fn detectors(report: &Report, style: Style) -> Table {
    let header = ["detector", "texts", "AUROC", "TPR at 1 % FPR", "at 5 %"];
    let mut table = Table::new("Each zero-shot detector on all texts", &header);
    for (name, m) in &report.detectors {
        table.rows.push(vec![
            name.clone(),
            m.n.to_string(),
            area(style, m.auroc, m.auroc_ci),
            percent(style, m.tpr_at_fpr_1, m.tpr_at_fpr_1_ci),
            percent(style, m.tpr_at_fpr_5, m.tpr_at_fpr_5_ci),
        ]);
    }
    table
}

fn reliability(report: &Report) -> Table {
    let header = ["set", "human / AI", "ECE", "Brier", "ECE, balanced", "Brier, balanced"];
    let mut table = Table::new("Calibration of the probability", &header);
    let sets = report.datasets.iter().map(|(name, set)| (name.as_str(), &set.reliability));
    let all = (report.datasets.len() != 1).then_some(("all", &report.reliability));
    for (name, measured) in sets.chain(all) {
        let Some(r) = measured else { continue };
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        table.rows.push(vec![
            name.to_owned(),
            format!("{} / {}", r.n_human, r.n_ai),
            number(Some(r.ece)),
            number(Some(r.brier)),
            number(r.ece_balanced),
            number(r.brier_balanced),
        ]);
    }
    table
}

fn targets(report: &Report) -> Option<Table> {
    let header = [
        "group",
        "AUROC ≥ 0.97",
        "TPR at 1 % FPR ≥ 85 %, over 150 words",
        "humans flagged ≤ 1 %",
        "unclear ≤ 25 %, over 100 words",
    ];
    let mut table = Table::new(
        "Targets, met or missed by the value; with \"?\" where its 95 % interval allows the other",
        &header,
    );
    for group in report.targets.as_ref()? {
        let [auroc, tpr, fpr, unclear] = group.checks();
        let per_cent = |value: f64| format!("{:.1} %", 100.0 * value);
        let mut row = vec![format!("{} {}", group.by, group.name)];
        row.push(check(auroc, |value| format!("{value:.3}")));
        row.extend([tpr, fpr, unclear].map(|measured| check(measured, per_cent)));
        table.rows.push(row);
    }
    Some(table)
}

fn check(measured: Option<Check>, say: impl Fn(f64) -> String) -> String {
    measured.map_or_else(
        || "–".to_owned(),
        |check| {
            let word = if check.met { "met" } else { "missed" };
            format!("{} {word}{}", say(check.value), if check.settled { "" } else { "?" })
        },
    )
}

fn area(style: Style, value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval, style) {
        (Some(value), Some([low, high]), Style::Terminal) => format!("{value:.3} [{low:.3}, {high:.3}]"),
        (Some(value), Some([low, high]), Style::Markdown) => format!("{value:.2} ({low:.2}–{high:.2})"),
        _ => "–".to_owned(),
    }
}

fn percent(style: Style, value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    match (value, interval, style) {
        (Some(value), Some([low, high]), Style::Terminal) => {
            format!("{:.1} % [{:.1}, {:.1}]", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        (Some(value), None, Style::Terminal) => format!("{:.1} %", 100.0 * value),
        (Some(value), Some([low, high]), Style::Markdown) => {
            format!("{} % ({}–{})", rounded(value), rounded(low), rounded(high))
        }
        (Some(value), None, Style::Markdown) => format!("{} %", rounded(value)),
        _ => "–".to_owned(),
    }
}

/// A share in whole per cents, with a decimal below ten unless it is nought.
fn rounded(share: f64) -> String {
    let hundredfold = 100.0 * share;
    let decimal = format!("{hundredfold:.1}");
    if hundredfold >= 9.95 { format!("{hundredfold:.0}") } else { decimal.trim_end_matches(".0").to_owned() }
}

/// A cell that Markdown takes as plain words.
fn escape(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    for character in cell.chars() {
        match character {
            '|' | '\\' | '*' | '`' | '[' | ']' | '<' | '>' | '~' => out.extend(['\\', character]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The first column to the left, all others to the right; control characters become spaces.
pub fn write_table(header: &[&str], rows: &[Vec<String>], out: &mut impl Write) -> std::io::Result<()> {
    let clean = |cell: &String| cell.replace(char::is_control, " ");
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> =
        std::iter::once(&header).chain(rows).map(|row| row.iter().map(clean).collect()).collect();
    let width = |cell: &String| cell.chars().count();
    let mut widths = vec![0; header.len()];
    for row in &rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (index, (cell, column)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(column - width(cell));
            let (before, after) = if index == 0 { ("", padding.as_str()) } else { (padding.as_str(), "") };
            line.push_str(&format!("{}{before}{cell}{after}", if index == 0 { "" } else { "  " }));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::eval::report::tests::{report, two_files};

    fn markdown(report: &Report) -> String {
        let mut out = Vec::new();
        write_markdown(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tables_are_aligned() {
        let mut out = Vec::new();
        let rows = [vec!["é".to_owned(), "1".to_owned()], vec!["by\u{1b}x".to_owned()]];
        write_table(&["", "number"], &rows, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "      number\né          1\nby x\n");
        let mut out = Vec::new();
        write_tables(&report(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("0.750 [") && text.contains("\na ") && text.contains("entropy"), "{text}");
    }

    #[test]
    fn numbers_are_rounded_as_on_the_page() {
        let shares = [0.0, 0.0051, 0.05, 0.0994, 0.0996, 0.294, 1.0].map(rounded);
        assert_eq!(shares, ["0", "0.5", "5", "9.9", "10", "29", "100"]);
        assert_eq!(area(Style::Markdown, Some(0.9649), Some([0.9, 1.0])), "0.96 (0.90–1.00)");
        assert_eq!(percent(Style::Markdown, Some(0.007), Some([0.002, 0.025])), "0.7 % (0.2–2.5)");
        assert_eq!(percent(Style::Terminal, Some(0.5), Some([0.1, 0.9])), "50.0 % [10.0, 90.0]");
        assert_eq!(percent(Style::Markdown, None, None), "–");
    }

    #[test]
    fn every_line_of_a_markdown_table_has_its_columns() {
        let text = markdown(&two_files().with_targets());
        for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
            let columns: Vec<usize> =
                table.lines().map(|line| line.replace("\\|", "").matches('|').count()).collect();
            assert!(columns.len() > 2 && columns.iter().all(|&n| n == columns[0]), "{table}");
        }
        for part in
            ["| set | human / AI | AUROC |", "| all | 4 / 3 |", "\nBy kind:\n\n", "| attack:x\\|y | 0 / 2 |"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    /// Of the attacks one is of over 150 words, above the one human text of that length in its file.
    #[test]
    fn longer_texts_of_a_kind_stand_in_its_row() {
        let text = markdown(&two_files());
        let table = text.split("\n\n").find(|part| part.starts_with("| kind |")).unwrap();
        let header: Vec<&str> = table.lines().next().unwrap().split(" | ").collect();
        let attack = table.lines().find(|line| line.contains("attack:")).unwrap().replace("\\|", "");
        let cells: Vec<&str> = attack.split(" | ").collect();
        let at = |name: &str| {
            let column = header.iter().position(|cell| *cell == name).unwrap();
            cells[column].split(' ').next().unwrap()
        };
        assert_eq!(
            (at("AUROC, all files"), at("AUROC in its files"), at("TPR at 1 % FPR in them")),
            ("0.62", "0.75", "50")
        );
        assert_eq!((at("AUROC over 150 words"), at("TPR at 1 % FPR over 150 words")), ("1.00", "100"));
    }

    #[test]
    fn targets_are_shown_only_if_asked_for() {
        assert!(!markdown(&two_files()).contains("Targets"));
        let text = markdown(&two_files().with_targets());
        // One of two humans of the first file is flagged, which the interval leaves no doubt about.
        assert!(text.contains("| dataset one | 0.750 missed? | – | 50.0 % missed |"), "{text}");
    }

    #[test]
    fn a_single_file_is_not_shown_twice() {
        let text = markdown(&report());
        assert!(text.contains("| one | 3 / 2 |") && !text.contains("| all |"), "{text}");
        assert!(text.contains("| set | texts | calibrated |\n"), "{text}");
    }
}
