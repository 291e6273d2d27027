//! How far two texts are apart, for questions such as `did you mean eu-west-1?`.

/// The number of insertions, deletions, changes and swaps of neighbours that lead from one text to the other.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|text| text.chars().collect::<Vec<_>>());
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for (at, letter) in one.iter().enumerate() {
        let above = &rows[at];
        let mut row = vec![at + 1];
        for (to, wanted) in other.iter().enumerate() {
            let changed = above[to] + usize::from(letter != wanted);
            let mut best = changed.min(above[to + 1] + 1).min(row[to] + 1);
            let is_swap = at > 0 && to > 0 && one[at - 1] == *wanted && *letter == other[to - 1];
            if is_swap {
                best = best.min(rows[at - 1][to - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_neighbours_is_one_change() {
        for (one, other, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("abc", "acb", 1),
            ("abc", "abcd", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
