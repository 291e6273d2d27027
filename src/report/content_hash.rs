//! The hash of content that is written to the cluster, to compare it later with what is stored there.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use serde_json::Value;

/// The hash of a JSON value: the first half of its SHA-256, in hexadecimal. It is stored in the cluster, so it must be the same in
/// every version of the product; the keys of objects are in order.
pub fn content_hash(value: &Value) -> String {
    let digest = digest::digest(&digest::SHA256, value.to_string().as_bytes());
    let mut text = String::new();
    for byte in &digest.as_ref()[..16] {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_of_equal_values_is_equal_in_every_version() {
        let one = json!({"b": 1, "a": [true]});
        assert_eq!(
            content_hash(&one),
            content_hash(&json!({"a": [true], "b": 1}))
        );
        assert_eq!(content_hash(&json!({})), "44136fa355b3678a1146ad16f7e8649e");
        assert_ne!(
            content_hash(&one),
            content_hash(&json!({"b": 1, "a": [false]}))
        );
    }
}
