//! The drawing of the routes: source regions on the left, the regions that may answer on the right, both in groups by jurisdiction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::region::Region;
use crate::report::printable::counted;

use super::escaped;
use super::routes::DataRoute;

/// The width of the drawing.
const WIDTH: usize = 920;

/// The height of a region.
const ROW: usize = 26;

/// The height of the name of a jurisdiction.
const HEAD: usize = 24;

/// The space between two groups.
const GAP: usize = 12;

/// The width of a column.
const COLUMN: usize = 250;

/// The thinnest line.
const THINNEST: usize = 2;

/// The widest line.
const WIDEST: usize = 14;

/// A column of regions, by jurisdiction.
struct Column {
    /// The groups: the name, the top, and the height.
    groups: Vec<(String, usize, usize)>,
    /// The middle of each region.
    middles: BTreeMap<String, usize>,
    height: usize,
}

/// A line from a region to another one.
#[derive(Default)]
struct Link {
    ids: usize,
    crosses: bool,
}

/// The drawing as SVG; empty without routes.
pub(super) fn flow(routes: &[DataRoute], svg: &mut String) {
    let links = links(routes);
    if links.is_empty() {
        return;
    }
    let sources = Column::of(links.keys().map(|(from, _)| from.as_str()));
    let targets = Column::of(links.keys().map(|(_, to)| to.as_str()));
    let height = sources.height.max(targets.height) + 2;
    let _ = writeln!(
        svg,
        "<svg class=\"flow\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-labelledby=\"flow-title\">\n\
         <title id=\"flow-title\">Routes of data: {} source regions, {} regions that may answer, {} lines across a border. The table below has the same content.</title>",
        sources.middles.len(),
        targets.middles.len(),
        links.values().filter(|link| link.crosses).count(),
    );
    let most = links.values().map(|link| link.ids).max().unwrap_or(1);
    let (left, right) = (COLUMN, WIDTH - COLUMN);
    let bend = (right - left) / 2;
    // Lines across a border are drawn last, so that no other line hides them.
    for is_crossing in [false, true] {
        for ((from, to), link) in links.iter().filter(|(_, link)| link.crosses == is_crossing) {
            let (Some(start), Some(end)) = (sources.middles.get(from), targets.middles.get(to))
            else {
                continue;
            };
            let width = THINNEST + link.ids * (WIDEST - THINNEST) / most;
            let class = if link.crosses {
                "link crossing"
            } else {
                "link"
            };
            let border = if link.crosses {
                "; crosses a border"
            } else {
                ""
            };
            let _ = writeln!(
                svg,
                "<path class=\"{class}\" stroke-width=\"{width}\" d=\"M{left} {start}C{} {start} {} {end} {right} {end}\"><title>{} → {}: {}{border}</title></path>",
                left + bend,
                right - bend,
                escaped(&label(from)),
                escaped(&label(to)),
                counted(link.ids, "ID"),
            );
        }
    }
    sources.draw(0, "end", COLUMN - 10, svg);
    targets.draw(WIDTH - COLUMN, "start", 10, svg);
    *svg += "</svg>\n";
}

fn links(routes: &[DataRoute]) -> BTreeMap<(String, String), Link> {
    let mut links: BTreeMap<_, Link> = BTreeMap::new();
    for route in routes {
        let unknown = BTreeSet::from([UNKNOWN.to_owned()]);
        for to in route.to.as_ref().unwrap_or(&unknown) {
            let link = links
                .entry((route.from.to_string(), to.clone()))
                .or_default();
            link.ids += route.ids();
            let there = Region::parse(to).ok();
            let is_abroad = there.is_none_or(|to| to.jurisdiction() != route.from.jurisdiction());
            link.crosses |= route.crosses() && is_abroad && to != UNKNOWN;
        }
    }
    links
}

/// A destination that is not known.
const UNKNOWN: &str = "?";

/// The region as it is shown.
fn label(region: &str) -> String {
    match region {
        "*" => "any region".to_owned(),
        UNKNOWN => "not known".to_owned(),
        region => region.to_owned(),
    }
}

/// The name of the jurisdiction of a region.
fn jurisdiction(region: &str) -> String {
    match Region::parse(region) {
        Ok(region) => {
            let name = region.jurisdiction();
            let name = name.name();
            name.strip_prefix("the ").unwrap_or(name).to_owned()
        }
        Err(_) if region == "*" => "Worldwide".to_owned(),
        Err(_) => "Unknown".to_owned(),
    }
}

impl Column {
    fn of<'a>(regions: impl Iterator<Item = &'a str>) -> Self {
        let mut by_jurisdiction: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for region in regions {
            by_jurisdiction
                .entry(jurisdiction(region))
                .or_default()
                .insert(region);
        }
        let (mut groups, mut middles, mut top) = (Vec::new(), BTreeMap::new(), 1);
        for (name, regions) in by_jurisdiction {
            let height = HEAD + regions.len() * ROW;
            for (at, region) in regions.into_iter().enumerate() {
                middles.insert(region.to_owned(), top + HEAD + at * ROW + ROW / 2);
            }
            groups.push((name, top, height));
            top += height + GAP;
        }
        Self {
            groups,
            middles,
            height: top.saturating_sub(GAP),
        }
    }

    /// Draws the groups at `x`, with names at the side that the lines touch.
    fn draw(&self, x: usize, anchor: &str, offset: usize, svg: &mut String) {
        for (name, top, height) in &self.groups {
            let _ = writeln!(
                svg,
                "<rect class=\"group\" x=\"{x}\" y=\"{top}\" width=\"{COLUMN}\" height=\"{height}\" rx=\"6\"/>\
                 <text class=\"jurisdiction\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                x + offset,
                top + 17,
                escaped(name),
            );
        }
        for (region, middle) in &self.middles {
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                x + offset,
                middle + 5,
                escaped(&label(region)),
            );
        }
    }
}
