//! The report as a picture (SVG): block time by height of both networks, stages as bands, missed signatures at the foot.

use std::fmt::Write;

use super::Row;
use super::stages::StageSpan;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const FOOT: f64 = 40.0;
const COLOURS: [&str; 3] = ["#dbe9f6", "#eef5db", "#fbe8d3"];

/// Where things are.
struct Axes {
    columns: f64,
    seconds: f64,
}

impl Axes {
    fn x(&self, at: usize) -> f64 {
        LEFT + number(at) * (WIDTH - LEFT - RIGHT) / self.columns
    }

    fn y(&self, seconds: f64) -> f64 {
        HEIGHT - FOOT - seconds * (HEIGHT - FOOT - TOP) / self.seconds
    }

    fn line(&self, rows: &[Row], colour: &str) -> String {
        let point = |(at, row): (usize, &Row)| format!("{:.1},{:.1}", self.x(at), self.y(row.seconds));
        let points: Vec<String> = rows.iter().enumerate().map(point).collect();
        format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n", points.join(" "))
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The picture.
pub(in crate::local) fn picture(quiet: &[Row], busy: &[Row], stages: &[StageSpan]) -> String {
    let count = quiet.len().max(busy.len());
    let slowest = quiet.iter().chain(busy).map(|row| row.seconds).fold(0.001, f64::max);
    let axes = Axes { columns: number(count.saturating_sub(1).max(1)), seconds: slowest * 1.1 };
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    bands(&mut text, &axes, busy, stages);
    for step in 0..5 {
        let seconds = axes.seconds * f64::from(step) / 4.0;
        let (y, label) = (axes.y(seconds), axes.y(seconds) + 4.0);
        put(
            &mut text,
            format_args!("<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ccc\"/>", WIDTH - RIGHT),
        );
        put(
            &mut text,
            format_args!("<text x=\"{}\" y=\"{label:.1}\" text-anchor=\"end\">{seconds:.2} s</text>", LEFT - 6.0),
        );
    }
    text.push_str(&axes.line(quiet, "#888888"));
    text.push_str(&axes.line(busy, "#1f5fa8"));
    for (at, row) in busy.iter().enumerate().filter(|(_, row)| row.missed > 0) {
        let (x, length) = (axes.x(at), 6 * row.missed);
        put(
            &mut text,
            format_args!(
                "<rect x=\"{x:.1}\" y=\"{}\" width=\"2\" height=\"{length}\" fill=\"#c0392b\"/>",
                HEIGHT - 38.0
            ),
        );
    }
    put(
        &mut text,
        format_args!(
            "<text x=\"{LEFT}\" y=\"20\">Block time by height: <tspan fill=\"#1f5fa8\">rolled out, stage by stage</tspan>, <tspan \
             fill=\"#888888\">left alone</tspan>; <tspan fill=\"#c0392b\">missed signatures</tspan> below</text>"
        ),
    );
    put(
        &mut text,
        format_args!("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{count} heights</text>", WIDTH - RIGHT, HEIGHT - 6.0),
    );
    text.push_str("</svg>\n");
    text
}

fn bands(text: &mut String, axes: &Axes, busy: &[Row], stages: &[StageSpan]) {
    let base = busy.first().map_or(0, |row| row.height);
    let place = |height: u64| usize::try_from(height.saturating_sub(base)).unwrap_or_default();
    for (StageSpan { name, first, last, .. }, colour) in stages.iter().zip(COLOURS.iter().cycle()) {
        let (from, to) = (axes.x(place(*first)), axes.x(place(*last)));
        let (width, height) = ((to - from).max(1.0), HEIGHT - FOOT - TOP);
        put(
            text,
            format_args!(
                "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"
            ),
        );
        put(text, format_args!("<text x=\"{:.1}\" y=\"{}\">{}</text>", from + 4.0, TOP + 14.0, escaped(name)));
    }
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("text grows");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_height_has_its_point_and_names_do_not_break_the_picture() {
        let row = |height| Row { height, seconds: 0.5, missed: usize::from(height == 12), is_change: false };
        let (quiet, busy): (Vec<Row>, Vec<Row>) = ((5..15).map(row).collect(), (10..20).map(row).collect());
        let stage = StageSpan { name: "a<b".to_owned(), first: 10, last: 14, syncs: Vec::new() };
        let text = picture(&quiet, &busy, &[stage]);
        let points: Vec<usize> =
            text.lines().filter(|line| line.starts_with("<polyline")).map(|line| line.matches(',').count()).collect();
        assert_eq!(points, [10, 10]);
        assert_eq!(
            text.matches("fill=\"#c0392b\"/>").count(),
            quiet.iter().chain(&busy).filter(|row| row.missed > 0).count() / 2
        );
        assert!(text.contains("a&lt;b") && !text.contains("a<b") && text.ends_with("</svg>\n"), "{text}");
    }
}
