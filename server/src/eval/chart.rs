//! Charts as SVG: lines over two axes, and the parts from which other charts are put together.
//!
//! A chart stands on a white ground of its own, so that it can be read on light and on dark pages alike, and says in
//! `<title>` and `<desc>` what it shows. Series differ in dashes as well as in colour; the colours are those of Okabe and
//! Ito, which most colour-blind people can tell apart. The same data always give the same bytes.

use std::fmt::Write;

/// Colours of series, one after the other (Okabe and Ito 2008, without the yellow, which white swallows).
pub const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];

/// Dashes of series, as many as colours plus one, so that the pairs don't repeat soon.
const DASHES: [&str; 8] = ["", "7 3", "2 3", "9 3 2 3", "", "12 4", "4 4", "1 4"];

/// Colour of all words.
const INK: &str = "#222222";

/// What is written on a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a> {
    /// The heading, and what a screen reader says first.
    pub title: &'a str,
    /// What the chart shows, in a sentence or two; read out, not drawn.
    pub description: &'a str,
    /// What the horizontal axis measures, with its unit.
    pub x: &'a str,
    /// What the vertical axis measures, with its unit.
    pub y: &'a str,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points from left to right; one that isn't finite leaves a gap.
    pub points: Vec<(f64, f64)>,
}

/// A line chart among others.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    /// What is written on it.
    pub labels: Labels<'a>,
    /// Its lines.
    pub series: Vec<Series>,
}

/// Width and height of a line chart in pixels.
const SIZE: (f64, f64) = (720.0, 440.0);

/// A line chart of 720 by 440 pixels with a legend on the right; the axes cover all finite points.
#[must_use]
pub fn lines(labels: &Labels<'_>, series: &[Series]) -> String {
    let mut svg = Svg::new(SIZE.0, SIZE.1, labels);
    svg.lines(labels, series);
    svg.finish()
}

/// Line charts below each other, each under its own heading.
#[must_use]
pub fn panels(title: &str, description: &str, panels: &[Panel<'_>]) -> String {
    let (width, height) = SIZE;
    let top = 36.0;
    let labels = Labels { title, description, x: "", y: "" };
    let mut svg = Svg::new(width, top + height * panels.len() as f64, &labels);
    for (index, Panel { labels, series }) in panels.iter().enumerate() {
        svg.put(format_args!("<g transform=\"translate(0 {:.1})\">", top + height * index as f64));
        svg.heading(width, labels.title);
        svg.lines(labels, series);
        svg.put(format_args!("</g>"));
    }
    svg.finish()
}

/// A rectangle of a chart and the ranges of values that its sides stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    /// Left, top, width and height in pixels.
    pub(super) area: [f64; 4],
    /// The values at the left and the right side.
    pub(super) x: [f64; 2],
    /// The values at the bottom and the top.
    pub(super) y: [f64; 2],
}

impl Plane {
    /// Where a point lies in pixels; one beyond a side is set upon it.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |value: f64, [low, high]: [f64; 2]| {
            if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        };
        let [left, top, width, height] = self.area;
        (left + width * share(x, self.x), top + height * (1.0 - share(y, self.y)))
    }
}

/// Where a text stands to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG that grows.
#[derive(Debug)]
pub(super) struct Svg {
    out: String,
}

impl Svg {
    /// A white ground with a heading.
    pub(super) fn new(width: f64, height: f64, labels: &Labels<'_>) -> Self {
        let (title, description) = (escape(labels.title), escape(labels.description));
        let mut svg = Self { out: String::new() };
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\" font-family=\"sans-serif\">"
        ));
        svg.put(format_args!("<title id=\"title\">{title}</title>"));
        svg.put(format_args!("<desc id=\"desc\">{description}</desc>"));
        svg.rectangle([0.0, 0.0, width, height], "#ffffff");
        svg.heading(width, labels.title);
        svg
    }

    fn heading(&mut self, width: f64, title: &str) {
        self.text((width / 2.0, 24.0), title, Anchor::Middle, 15.0);
    }

    /// Axes, lines and legend of a line chart.
    fn lines(&mut self, labels: &Labels<'_>, series: &[Series]) {
        let finite = || series.iter().flat_map(|s| &s.points).filter(|(x, y)| x.is_finite() && y.is_finite());
        let legend = if series.is_empty() { 0.0 } else { 160.0 };
        let area = [70.0, 44.0, SIZE.0 - 90.0 - legend, SIZE.1 - 100.0];
        let plane = Plane { area, x: extent(finite().map(|p| p.0)), y: extent(finite().map(|p| p.1)) };
        self.axes(&plane, labels.x, labels.y);
        for (index, line) in series.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let dash = DASHES[index % DASHES.len()];
            for part in line.points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
                match part {
                    [] => {}
                    [alone] => self.dot(plane.at(*alone), 2.5, colour),
                    _ => {
                        let places: Vec<_> = part.iter().map(|&point| plane.at(point)).collect();
                        self.path(&places, colour, 2.0, dash);
                    }
                }
            }
            let (left, y) = (area[0] + area[2] + 16.0, area[1] + 10.0 + 20.0 * index as f64);
            self.path(&[(left, y), (left + 26.0, y)], colour, 2.0, dash);
            self.text((left + 32.0, y + 4.0), &line.name, Anchor::Start, 12.0);
        }
    }

    /// The document.
    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.out, "{element}");
    }

    /// Left, top, width and height.
    pub(super) fn rectangle(&mut self, [x, y, width, height]: [f64; 4], fill: &str) {
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        ));
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: &str) {
        self.put(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{fill}\"/>"));
    }

    /// A line through points; `dash` empty for none.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str, width: f64, dash: &str) {
        let places: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        self.put(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width:.1}\"{dash}/>",
            places.join(" ")
        ));
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), words: &str, anchor: Anchor, size: f64) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"{INK}\">{}</text>",
            escape(words)
        ));
    }

    /// Frame, grid, numbers and names of both axes.
    pub(super) fn axes(&mut self, plane: &Plane, x: &str, y: &str) {
        let [left, top, width, height] = plane.area;
        let (right, bottom) = (left + width, top + height);
        let across = ticks(plane.x, (width / 80.0).max(2.0) as usize);
        let up = ticks(plane.y, (height / 50.0).max(2.0) as usize);
        for tick in &across.values {
            let (at, _) = plane.at((*tick, plane.y[0]));
            self.path(&[(at, top), (at, bottom)], "#dddddd", 1.0, "");
            self.text((at, bottom + 16.0), &across.say(*tick), Anchor::Middle, 11.0);
        }
        for tick in &up.values {
            let (_, at) = plane.at((plane.x[0], *tick));
            self.path(&[(left, at), (right, at)], "#dddddd", 1.0, "");
            self.text((left - 6.0, at + 4.0), &up.say(*tick), Anchor::End, 11.0);
        }
        self.path(&[(left, top), (left, bottom), (right, bottom)], INK, 1.0, "");
        self.text((left + width / 2.0, bottom + 36.0), x, Anchor::Middle, 12.0);
        let (at_x, at_y) = (16.0, top + height / 2.0);
        self.put(format_args!(
            "<text transform=\"translate({at_x:.1} {at_y:.1}) rotate(-90)\" text-anchor=\"middle\" font-size=\"12\" \
             fill=\"{INK}\">{}</text>",
            escape(y)
        ));
    }
}

/// Round values within a range, and the decimals that they need.
#[derive(Debug, PartialEq)]
struct Ticks {
    values: Vec<f64>,
    step: f64,
}

impl Ticks {
    fn say(&self, value: f64) -> String {
        let magnitude = value.abs().max(self.step);
        if !(1e-4..1e6).contains(&magnitude) {
            return format!("{value:.0e}");
        }
        let decimals = (-self.step.log10().floor()).clamp(0.0, 8.0) as usize;
        format!("{value:.decimals$}")
    }
}

/// About `wanted` multiples of 1, 2 or 5 times a power of ten.
fn ticks([low, high]: [f64; 2], wanted: usize) -> Ticks {
    let rough = (high - low) / wanted.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return Ticks { values: vec![low], step: 1.0 };
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil();
    // Adding zero turns a negative zero round.
    let values = (0..=2 * wanted).map(|k| (first + k as f64) * step + 0.0);
    Ticks { values: values.take_while(|value| *value <= high + 1e-9 * step).collect(), step }
}

/// The least and the greatest of the values, wider where they are one, and from 0 to 1 where there are none.
fn extent(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let [low, high] =
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
    if low > high {
        [0.0, 1.0]
    } else if low == high {
        let margin = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
        [low - margin, high + margin]
    } else {
        [low, high]
    }
}

/// Text as XML takes it: marks as entities, control characters as spaces.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const LABELS: Labels<'_> =
        Labels { title: "Loss & more", description: "Loss by step.", x: "step", y: "loss (nats)" };

    fn series(name: &str, points: &[(f64, f64)]) -> Series {
        Series { name: name.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks([0.0, 1.0], 5).values, [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks([-3.0, 17.0], 4).values, [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(ticks([5.0, 5.0], 4).values, [5.0]);
        let said = |range, value| ticks(range, 5).say(value);
        assert_eq!(said([0.0, 1.0], 0.6000000000000001), "0.6");
        assert_eq!(said([0.0, 2000.0], 500.0), "500");
        assert_eq!(said([0.0, 1e-6], 4e-7), "4e-7");
    }

    #[test]
    fn a_point_is_placed_by_its_share_of_each_side() {
        let plane = Plane { area: [10.0, 20.0, 100.0, 200.0], x: [0.0, 4.0], y: [-1.0, 1.0] };
        assert_eq!(plane.at((1.0, 0.5)), (35.0, 70.0));
        assert_eq!(plane.at((-9.0, 9.0)), (10.0, 20.0));
    }

    #[test]
    fn extents_are_never_empty() {
        let of = |values: &[f64]| extent(values.iter().copied());
        assert_eq!(of(&[]), [0.0, 1.0]);
        assert_eq!(of(&[2.0]), [1.0, 3.0]);
        assert_eq!(of(&[0.0, 0.0]), [-1.0, 1.0]);
        assert_eq!(of(&[3.0, -1.0]), [-1.0, 3.0]);
    }

    #[test]
    fn a_chart_says_what_it_shows_and_stands_on_white() {
        let svg = lines(&LABELS, &[series("train <a>", &[(0.0, 2.0), (1.0, 1.0)]), series("b", &[])]);
        for part in [
            "<title id=\"title\">Loss &amp; more</title>",
            "<desc id=\"desc\">Loss by step.</desc>",
            "<rect x=\"0.0\" y=\"0.0\" width=\"720.0\" height=\"440.0\" fill=\"#ffffff\"/>",
            ">train &lt;a&gt;</text>",
            ">loss (nats)</text>",
            ">step</text>",
            // The first series runs from the upper left to the lower right corner.
            "points=\"70.0,44.0 540.0,384.0\" fill=\"none\" stroke=\"#0072b2\"",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("<a>"));
    }

    #[test]
    fn panels_stand_below_each_other() {
        let panel = |title, points: &[(f64, f64)]| Panel {
            labels: Labels { title, ..LABELS },
            series: vec![series("a < b", points)],
        };
        let points = [(0.0, 0.0), (50.0, 0.5), (100.0, 1.0)];
        let svg = panels("Both", "Two charts.", &[panel("First", &points), panel("Second", &[])]);
        for part in [
            "<title id=\"title\">Both</title>",
            "height=\"916.0\" fill=\"#ffffff\"",
            "translate(0 36.0)",
            "translate(0 476.0)",
            ">First</text>",
            ">Second</text>",
            "a &lt; b",
            "points=\"70.0,384.0 305.0,214.0 540.0,44.0\" fill=\"none\" stroke=\"#0072b2\"",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
    }

    #[test]
    fn a_point_that_is_not_finite_leaves_a_gap() {
        let gap = [(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 0.0)];
        let whole = [(0.0, 0.0), (1.0, 1.0), (3.0, 1.0), (4.0, 0.0)];
        let count = |points: &[(f64, f64)]| {
            lines(&LABELS, &[series("s", points)]).matches("stroke=\"#0072b2\"").count()
        };
        // One more is the sample in the legend.
        assert_eq!((count(&gap), count(&whole)), (3, 2));
    }

    proptest! {
        #[test]
        fn any_points_make_well_formed_coordinates(
            points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20), name in "\\PC{0,12}"
        ) {
            let svg = lines(&LABELS, &[series(&name, &points)]);
            let opened = svg.matches("<text ").count();
            prop_assert_eq!(opened, svg.matches("</text>").count());
            for list in svg.split(" points=\"").skip(1) {
                for number in list.split('"').next().unwrap().split([' ', ',']) {
                    prop_assert!(number.parse::<f64>().is_ok_and(f64::is_finite), "{number}");
                }
            }
        }
    }
}
