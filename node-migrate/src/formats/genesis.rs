//! The consensus parameters of a genesis file in another dialect. Every byte outside of them stays as it is.
//!
//! Before v1.0 the height of vote extensions stands in `abci`, in v1.0 in `feature`, beside `synchrony`. A running node
//! has its parameters in its state; a new node takes them from here, and would stop at the first extension.

use std::ops::Range;

use ledger_formats::comet::dialect::Target;
use serde_json::{Map, Value, json};

const HEIGHT: &str = "vote_extensions_enable_height";

/// The file's text for releases of a dialect; `None` when it fits already.
///
/// # Errors
/// When the text is not JSON, or schedules what the dialect does not have.
pub fn edited(text: &str, to: Target) -> Result<Option<String>, String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| error.to_string())?;
    let Some(place) = place(text.as_bytes()) else { return Ok(None) };
    let Some(old) = text.get(place.clone()) else { return Ok(None) };
    let Ok(Value::Object(mut params)) = serde_json::from_str(old) else { return Ok(None) };
    if !convert(&mut params, to)? {
        return Ok(None);
    }
    let new = if old.contains('\n') { indented(text, place.start, &params) } else { Value::Object(params).to_string() };
    let (before, behind) = (text.get(..place.start).unwrap_or_default(), text.get(place.end..).unwrap_or_default());
    Ok(Some([before, &new, behind].concat()))
}

/// Converts the parameters; false when nothing changes.
fn convert(params: &mut Map<String, Value>, to: Target) -> Result<bool, String> {
    let height_in = |params: &Map<String, Value>, part: &str| {
        params.get(part).and_then(|part| part.get(HEIGHT)).filter(|height| !is_zero(height)).cloned()
    };
    let height = height_in(params, "feature").or_else(|| height_in(params, "abci")).unwrap_or_else(|| json!("0"));
    if to == Target::V1_0 {
        let is_old = params.remove("abci").is_some() | params.remove("authority").is_some();
        if is_old {
            params.entry("feature").or_insert_with(|| json!({ HEIGHT: height, "pbts_enable_height": "0" }));
        }
        return Ok(is_old);
    }
    if let Some(height) = params.get("feature").and_then(|feature| feature.get("pbts_enable_height"))
        && !is_zero(height)
    {
        return Err(format!(
            "it schedules proposer-based timestamps at height {height}, which no release before v1.0 has"
        ));
    }
    let is_new = params.remove("feature").is_some() | params.remove("synchrony").is_some();
    if is_new {
        params.insert("abci".to_owned(), json!({ HEIGHT: height }));
    }
    Ok(is_new)
}

/// Heights are strings in nodes' files and numbers in some others.
fn is_zero(height: &Value) -> bool {
    height.as_u64() == Some(0) || height.as_str().is_some_and(|text| text == "0" || text.is_empty()) || height.is_null()
}

fn indented(text: &str, start: usize, params: &Map<String, Value>) -> String {
    let line = text.get(..start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let indent: String = line.chars().take_while(|character| character.is_whitespace()).collect();
    let pretty = serde_json::to_string_pretty(params).expect("JSON values can be written");
    pretty.replace('\n', &format!("\n{indent}"))
}

/// Where the parameters stand: `consensus_params`, or `consensus.params` in files of the Cosmos SDK from 0.50 on.
fn place(text: &[u8]) -> Option<Range<usize>> {
    let whole = 0..text.len();
    member(text, whole.clone(), "consensus_params")
        .or_else(|| member(text, member(text, whole, "consensus")?, "params"))
}

/// The value of a member of the object in `place`. The text is known to be JSON.
fn member(text: &[u8], place: Range<usize>, name: &str) -> Option<Range<usize>> {
    let mut at = place.start + text.get(place.clone())?.iter().position(|byte| *byte == b'{')? + 1;
    loop {
        at += text.get(at..place.end)?.iter().position(|byte| matches!(byte, b'"' | b'}'))?;
        if text.get(at) == Some(&b'}') {
            return None;
        }
        let key = at..end_of_value(text, at)?;
        let colon = key.end + text.get(key.end..)?.iter().position(|byte| *byte == b':')? + 1;
        let start = colon + text.get(colon..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let value = start..end_of_value(text, start)?;
        if text.get(key.start + 1..key.end - 1) == Some(name.as_bytes()) {
            return Some(value);
        }
        at = value.end;
    }
}

/// The end of the value that begins at `start`.
fn end_of_value(text: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut in_string, mut at) = (0_u32, false, start);
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            // A number or word ends before what follows it.
            b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return Some(at - 1),
            _ => {}
        }
        let is_whole = matches!(byte, b'"' | b'}' | b']') && depth == 0 && !in_string;
        if is_whole {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "{\n  \"a\\\"}\": [1, {\"x\": \"]\"}],\n  \"consensus_params\": {\n    \"block\": {},\n    \"feature\": {\n      \"vote_extensions_enable_height\": \"25\",\n      \"pbts_enable_height\": \"0\"\n    },\n    \"synchrony\": {}\n  },\n  \"app_state\": {\"z\": 1.0, \"a\": 2}\n}\n";

    #[test]
    fn the_height_moves_and_all_else_stays() {
        let old = edited(V1, Target::V0_38).expect("JSON").expect("changes");
        let expected = V1.replace(
            "\"block\": {},\n    \"feature\": {\n      \"vote_extensions_enable_height\": \"25\",\n      \"pbts_enable_height\": \"0\"\n    },\n    \"synchrony\": {}",
            "\"abci\": {\n      \"vote_extensions_enable_height\": \"25\"\n    },\n    \"block\": {}",
        );
        assert_eq!(old, expected);
        assert_eq!(edited(&old, Target::V0_38), Ok(None));
        let back: Value =
            serde_json::from_str(&edited(&old, Target::V1_0).expect("JSON").expect("changes")).expect("JSON");
        assert_eq!(back["consensus_params"]["feature"][HEIGHT], "25");
        assert_eq!(back["consensus_params"].get("abci"), None);
    }

    #[test]
    fn the_parameters_are_found_where_the_sdk_has_them() {
        let text = r#"{"consensus":{"validators":[],"params":{"abci":{"vote_extensions_enable_height":"0"}}},"x":[]}"#;
        let new = edited(text, Target::V1_0).expect("JSON").expect("changes");
        assert_eq!(
            new,
            r#"{"consensus":{"validators":[],"params":{"feature":{"pbts_enable_height":"0","vote_extensions_enable_height":"0"}}},"x":[]}"#
        );
        assert_eq!(edited(r#"{"x":{"consensus_params":{"abci":{}}}}"#, Target::V1_0), Ok(None));
    }

    #[test]
    fn scheduled_proposer_based_time_is_refused() {
        let text = V1.replace("\"pbts_enable_height\": \"0\"", "\"pbts_enable_height\": \"9\"");
        assert!(edited(&text, Target::V0_40).expect_err("refused").contains("height \"9\""));
        assert!(edited("{", Target::V0_40).is_err());
    }
}
