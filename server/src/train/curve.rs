//! Curves as SVG: plain lines on labelled axes, nothing else.

use std::fmt::Write;

/// One line: its name and its points, x rising.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub name: String,
    /// Where it goes through.
    pub points: Vec<[f64; 2]>,
}

/// One diagram.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// What runs to the right.
    pub x: String,
    /// What runs up.
    pub y: String,
    /// Its lines; points that are no finite numbers are left out.
    pub curves: Vec<Curve>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;
/// Told apart by people who don't see red and green as well (Okabe and Ito 2008).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// The panels below each other, as one SVG file.
#[must_use]
pub fn svg(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        let _ = writeln!(out, "<g transform=\"translate(0 {})\">", HEIGHT * at as f64);
        draw(panel, &mut out);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn draw(panel: &Panel, out: &mut String) {
    let curves: Vec<Vec<[f64; 2]>> = panel
        .curves
        .iter()
        .map(|curve| curve.points.iter().copied().filter(|p| p.iter().all(|v| v.is_finite())).collect())
        .collect();
    let range = |axis: usize| {
        let values = curves.iter().flatten().map(|point| point[axis]);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        Scale::over(low, high)
    };
    let (x, y) = (range(0), range(1));
    let across = |value: f64| LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
    let up = |value: f64| HEIGHT - BOTTOM - y.share(value) * (HEIGHT - TOP - BOTTOM);
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let centre = (TOP + HEIGHT - BOTTOM) / 2.0;
    let mut text = |x: f64, y: f64, rest: &str, words: &str| {
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\"{rest}>{}</text>", escaped(words));
    };
    text(middle, 18.0, " text-anchor=\"middle\" font-size=\"14\" font-weight=\"bold\"", &panel.title);
    text(middle, HEIGHT - 10.0, " text-anchor=\"middle\"", &panel.x);
    let turned = format!(" text-anchor=\"middle\" transform=\"rotate(-90 16 {centre:.1})\"");
    text(16.0, centre, &turned, &panel.y);
    for (at, curve) in panel.curves.iter().enumerate() {
        let colour = format!(" fill=\"{}\"", COLOURS[at % COLOURS.len()]);
        text(LEFT + 8.0 + 150.0 * at as f64, 34.0, &colour, &curve.name);
    }
    for tick in x.ticks() {
        text(across(tick), HEIGHT - BOTTOM + 16.0, " text-anchor=\"middle\"", &x.label(tick));
    }
    for tick in y.ticks() {
        text(LEFT - 6.0, up(tick) + 4.0, " text-anchor=\"end\"", &y.label(tick));
    }
    for tick in y.ticks() {
        let (from, to, at) = (LEFT, WIDTH - RIGHT, up(tick));
        let _ = writeln!(out, "<path d=\"M{from:.1} {at:.1}H{to:.1}\" stroke=\"#ddd\" fill=\"none\"/>");
    }
    let (top, bottom, right) = (TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    let _ = writeln!(out, "<path d=\"M{LEFT} {top}V{bottom}H{right}\" stroke=\"#222\" fill=\"none\"/>");
    for (at, points) in curves.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|[x, y]| format!("{:.1},{:.1}", across(*x), up(*y))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" stroke=\"{colour}\" stroke-width=\"1.5\" fill=\"none\"/>",
            path.join(" ")
        );
        if let [only] = points.as_slice() {
            let (x, y) = (across(only[0]), up(only[1]));
            let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
    }
}

/// An axis between two round numbers.
#[derive(Debug, Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    fn over(low: f64, high: f64) -> Self {
        let (low, high) = match (low.is_finite() && high.is_finite(), low < high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low, high),
            (true, false) => (low - 0.5, low + 0.5),
        };
        let rough = (high - low) / 5.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|x| x * power).find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let Self { low, high, step } = *self;
        let count = ((high - low) / step).round() as usize;
        (0..=count.min(20)).map(move |at| low + step * at as f64)
    }

    fn label(&self, tick: f64) -> String {
        let digits = (-self.step.log10().floor()).clamp(0.0, 8.0) as usize;
        // No minus sign before a zero.
        format!("{:.digits$}", tick + 0.0)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(points: Vec<[f64; 2]>) -> Panel {
        let curve = Curve { name: "a < b".to_owned(), points };
        Panel { title: "Loss & more".into(), x: "step".into(), y: "nats".into(), curves: vec![curve] }
    }

    #[test]
    fn a_curve_goes_through_its_points_between_labelled_axes() {
        let drawn = svg(&[panel(vec![[0.0, 0.0], [50.0, 0.5], [100.0, 1.0]])]);
        for part in ["Loss &amp; more", ">step<", ">nats<", "a &lt; b", ">0.2<", ">100<"] {
            assert!(drawn.contains(part), "{part} in {drawn}");
        }
        assert!(drawn.contains("points=\"64.0,252.0 344.0,146.0 624.0,40.0\""), "{drawn}");
        assert_eq!(drawn.matches("<text").count(), drawn.matches("</text>").count());
    }

    #[test]
    fn any_numbers_can_be_drawn() {
        let odd = [
            vec![],
            vec![[1.0, 2.0]],
            vec![[0.0, f64::NAN], [1.0, 3.0], [2.0, 3.0]],
            vec![[0.0, 1e-9], [1e9, -1e9]],
        ];
        for points in odd {
            let drawn = svg(&[panel(points)]);
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let scale = Scale::over(0.13, 0.68);
        assert!((scale.low - 0.0).abs() < 1e-12 && (scale.high - 0.8).abs() < 1e-12, "{scale:?}");
        let labels: Vec<String> = scale.ticks().map(|tick| scale.label(tick)).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8"]);
    }
}
