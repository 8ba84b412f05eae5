#![allow(clippy::unwrap_used)]
use super::*;
use crate::signature::canonical::Builder;
use crate::signature::statement::Statement;
use crate::signature::testing::facts;

const ONE: &str = "The first paragraph of this text has quite a few words in it, more than eight.";
const TWO: &str = "The second one goes on in the same way, and says that nothing is ever simple.";
const THREE: &str = "Yes.";
const FOUR: &str = "The fourth paragraph ends the text, as fourth paragraphs in tests will often do.";

fn signed() -> TextDigest {
    Statement::about(&Stream::of_text(&[ONE, TWO, THREE, FOUR].join("\n\n")), facts()).unwrap().text
}

fn page(blocks: &[&str]) -> Stream {
    let mut builder = Builder::default();
    for block in blocks {
        builder.block_break();
        builder.text(block);
    }
    builder.finish()
}

fn all(stream: &Stream) -> Range<usize> {
    0..stream.text().len()
}

fn find(stream: &Stream, scope: &Scope, text: &TextDigest) -> Coverage {
    search(stream, scope, text, &mut Budget::of_page(stream))
}

#[track_caller]
fn expect(blocks: &[&str], scope: fn(Range<usize>) -> Scope, extent: Extent, found: &[usize]) {
    let stream = page(blocks);
    let coverage = find(&stream, &scope(all(&stream)), &signed());
    assert_eq!((coverage.extent, coverage.found.as_slice()), (extent, found), "{blocks:?}");
    let text: String =
        coverage.ranges.iter().map(|range| stream.text()[range.clone()].to_owned() + " ").collect();
    let wanted: String = found.iter().map(|&index| [ONE, TWO, THREE, FOUR][index].to_owned() + " ").collect();
    assert_eq!(text, wanted);
}

#[test]
fn the_whole_text_is_found() {
    for scope in [Scope::Before, Scope::Exactly, Scope::Within] {
        expect(&[ONE, TWO, THREE, FOUR], scope, Extent::Whole, &[0, 1, 2, 3]);
        // A reflow that loses the paragraphs.
        expect(&[&[ONE, TWO, THREE, FOUR].join(" ")], scope, Extent::Whole, &[0, 1, 2, 3]);
    }
    expect(&["Menu", ONE, TWO, THREE, FOUR], Scope::Before, Extent::Whole, &[0, 1, 2, 3]);
    expect(&["Menu", ONE, TWO, THREE, FOUR, "Comments"], Scope::Within, Extent::Whole, &[0, 1, 2, 3]);
}

#[test]
fn a_quoted_paragraph_is_an_excerpt() {
    expect(&["He wrote:", TWO, "I disagree."], Scope::Within, Extent::Excerpt, &[1]);
    expect(&[&format!("He wrote: \"{TWO}\" I disagree.")], Scope::Within, Extent::Excerpt, &[1]);
    expect(&[ONE, TWO], Scope::Exactly, Extent::Excerpt, &[0, 1]);
    expect(&[TWO, THREE], Scope::Exactly, Extent::Excerpt, &[1, 2]);
    expect(&[ONE, FOUR], Scope::Exactly, Extent::Excerpt, &[0, 3]);
    expect(&[ONE, "Advertisement", TWO, THREE, FOUR], Scope::Within, Extent::Excerpt, &[0, 1, 2, 3]);
}

#[test]
fn a_short_paragraph_does_not_verify_alone() {
    expect(&["Do you want to give me all of your money?", THREE], Scope::Within, Extent::Altered, &[]);
    expect(&[THREE], Scope::Exactly, Extent::Altered, &[]);
    expect(&[THREE, FOUR], Scope::Exactly, Extent::Excerpt, &[2, 3]);
}

#[test]
fn changes_are_seen() {
    let never = TWO.replace("nothing is ever", "nothing is never");
    expect(&[ONE, &never, THREE, FOUR], Scope::Exactly, Extent::Altered, &[0, 2, 3]);
    expect(&[ONE, &never, THREE, FOUR], Scope::Within, Extent::Altered, &[0, 2, 3]);
    expect(&[&never], Scope::Within, Extent::Altered, &[]);
    // The first and the last have no neighbour on one side.
    expect(&[&ONE.replace("eight", "nine"), TWO, THREE, FOUR], Scope::Within, Extent::Altered, &[1, 2, 3]);
    for scope in [Scope::Exactly, Scope::Before] {
        expect(&[ONE, TWO, THREE, FOUR, "PS: Not really."], scope, Extent::Altered, &[0, 1, 2, 3]);
        expect(&[ONE, TWO, "Not really.", THREE, FOUR], scope, Extent::Altered, &[0, 1, 2, 3]);
    }
    expect(&["Not really:", ONE, TWO, THREE, FOUR], Scope::Exactly, Extent::Altered, &[0, 1, 2, 3]);
    expect(&["Wrong:", TWO, THREE, FOUR], Scope::Before, Extent::Altered, &[1, 2, 3]);
    expect(&[FOUR, ONE, TWO], Scope::Within, Extent::Altered, &[3, 0, 1]);
}

#[test]
fn words_that_are_put_before_a_text_are_seen() {
    let glued = format!("Never believe this: {ONE}");
    expect(&[&glued, TWO, THREE, FOUR], Scope::Before, Extent::Altered, &[0, 1, 2, 3]);
    expect(&[&glued, TWO, THREE, FOUR], Scope::Exactly, Extent::Altered, &[0, 1, 2, 3]);
    expect(&[&glued, TWO, THREE, FOUR], Scope::Within, Extent::Excerpt, &[0, 1, 2, 3]);
    // Inside a word nothing begins.
    expect(&[&format!("un{TWO}")], Scope::Within, Extent::Altered, &[]);
    expect(&[&format!("{TWO}not")], Scope::Within, Extent::Altered, &[]);
}

#[test]
fn hazards_spoil_what_they_stand_in() {
    let stream = page(&[ONE, &format!("{TWO}\u{202E}"), THREE, FOUR]);
    let coverage = find(&stream, &Scope::Exactly(all(&stream)), &signed());
    assert_eq!((coverage.extent, coverage.hazard.is_some()), (Extent::Altered, true));
}

#[test]
fn a_page_that_repeats_an_anchor_costs_no_more_than_a_few_passes() {
    let paragraph = "x".repeat(100_000);
    let digest = Statement::about(&Stream::of_text(&format!("{paragraph} y")), facts()).unwrap().text;
    let block = "x".repeat(99_000);
    let stream = page(&vec![block.as_str(); 40]);
    let started = std::time::Instant::now();
    let coverage = find(&stream, &Scope::Within(all(&stream)), &digest);
    assert_eq!(coverage.extent, Extent::Altered);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// Each of these asks for minutes or hours of work without a budget.
#[test]
fn hostile_tables_are_given_up() {
    let started = std::time::Instant::now();
    let text = "a".repeat(300_000);
    let mut alike = Statement::about(&Stream::of_text(&text), facts()).unwrap().text;
    let one = alike.paragraphs[0].clone();
    alike.paragraphs = vec![one; 10_000];
    let stream = page(&[&format!("b {}", "a".repeat(1_000_000))]);
    assert_eq!(find(&stream, &Scope::Within(all(&stream)), &alike).extent, Extent::Altered);
    let mut small = alike.clone();
    for (number, paragraph) in small.paragraphs.iter_mut().enumerate() {
        (paragraph.start, paragraph.length, paragraph.anchor) = (17 * number as u64, 16, None);
    }
    let words = page(&[&"word and word ".repeat(100_000)]);
    let mut budget = Budget::of_page(&words);
    for _ in 0..2000 {
        let _ = search(&words, &Scope::Within(all(&words)), &small, &mut budget);
    }
    assert!(budget.is_spent() && started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_statement_must_not_contradict_itself() {
    let stream = page(&[ONE, TWO, THREE, FOUR]);
    let changes: [fn(&mut TextDigest); 3] = [
        |text| text.words += 1,
        |text| text.paragraphs[1].sha256 = text.paragraphs[0].sha256.clone(),
        |text| text.paragraphs[1].anchor = text.paragraphs[0].anchor.clone(),
    ];
    for change in changes {
        let mut text = signed();
        change(&mut text);
        let coverage = find(&stream, &Scope::Exactly(all(&stream)), &text);
        assert_eq!((coverage.extent, coverage.contradicts), (Extent::Altered, true));
    }
}

#[test]
fn an_override_before_a_quotation_spoils_it() {
    let stream = page(&[&format!("\u{202E}{ONE}"), TWO, THREE, FOUR]);
    let mut builder = Builder::default();
    builder.text("\u{202E}");
    builder.text(ONE);
    let inline = builder.finish();
    let text = Statement::about(&Stream::of_text(ONE), facts()).unwrap().text;
    let range = inline.text().len() - ONE.len()..inline.text().len();
    assert_eq!(find(&inline, &Scope::Exactly(range), &text).extent, Extent::Altered);
    // In another block it does nothing.
    let start = stream.text().find(TWO).unwrap();
    let text = Statement::about(&Stream::of_text(TWO), facts()).unwrap().text;
    assert_eq!(find(&stream, &Scope::Exactly(start..start + TWO.len()), &text).extent, Extent::Whole);
}
