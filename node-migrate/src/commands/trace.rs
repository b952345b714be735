//! `trace`: one record, or all of a height, from the source through the migration to the target, with its proof.

use std::path::Path;

use ledger_formats::root::{RecordProof, Rung};
use ledger_formats::store::Location;
use node_migrate::home::{self, Home};
use node_migrate::trace::{self, Answer, BlockProof, Question, Request, Sighting, Step, Traced, TracedSide};
use serde_json::{Value, json};

use super::Surroundings;
use crate::cli::TraceArguments;
use crate::error::{AppError, Kind};

/// Prints where the record lies.
pub(super) fn run(command: &TraceArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let databases = super::chosen(&home.databases, &command.db)?;
    let question = match (&command.question.height, &command.question.key) {
        (_, Some(key)) => Question::Key(key.0.clone()),
        (Some(height), None) => Question::Height(*height),
        (None, None) => return Err(AppError::new(Kind::Usage, "give --height or --key")),
    };
    let context = world.context();
    let threads = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| AppError::new(Kind::System, format!("cannot start {threads} threads: {error}")))?;
    let request = Request {
        home: &home,
        databases: &databases,
        question: &question,
        is_running: !home::node_process::running(&home).is_empty(),
        wants_proofs: !command.no_proof,
        temporary: &world.temporary(),
    };
    let answer = pool.install(|| trace::trace(&request, &context))?;
    let value = json!({
        "home": home.root,
        "databases": answer.sides.iter().map(json_of_side).collect::<Vec<_>>(),
        "records": answer.records.iter().map(json_of).collect::<Vec<_>>(),
        "checkpoint": answer.block.as_ref().map(json_of_block),
    });
    world.output.result(&value, || text(&answer, &home));
    Ok(())
}

fn json_of_side(side: &TracedSide) -> Value {
    json!({
        "name": side.database, "is_target": side.is_target, "folder": side.folder,
        "engine": side.engine.to_string(), "migration": side.migration, "tip": side.tip.map(|tip| tip.to_string()),
    })
}

fn json_of(traced: &Traced) -> Value {
    json!({
        "database": traced.database, "record": traced.subject.in_words(&traced.database),
        "source": traced.source.as_ref().map(json_of_sighting), "step": traced.step.as_ref().map(json_of_step),
        "target": traced.target.as_ref().map(json_of_sighting), "proof": traced.proof.as_ref().map(json_of_proof),
    })
}

fn json_of_sighting(sighting: &Sighting) -> Value {
    let location = match &sighting.location {
        Location::Block { file, offset } => json!({ "table": file, "block_offset": offset }),
        Location::LogRecord { file, offset } => json!({ "log": file, "record_offset": offset }),
        Location::Within { files } => json!({ "one_of": files }),
    };
    json!({
        "key": hex::encode(&sighting.key), "layout": sighting.layout.map(|layout| layout.label()),
        "value_bytes": sighting.value_bytes, "value_sha256": hex::encode(sighting.value_sha256), "location": location,
    })
}

fn json_of_step(step: &Step) -> Value {
    let shard = step.shard.as_ref().map(|shard| {
        json!({ "number": shard.number, "of": shard.shards, "rows": shard.rows, "blake3": hex::encode(shard.blake3) })
    });
    json!({
        "migration": step.migration, "phase": step.phase, "fate": step.fate.name(), "reason": step.reason,
        "from": step.from, "to": step.to, "shard": shard, "note": step.note,
    })
}

fn json_of_proof(proof: &RecordProof) -> Value {
    let rung = |rung: &Rung| {
        json!({
            "leaf": hex::encode(rung.leaf), "index": rung.index, "total": rung.total,
            "path": rung.path.iter().map(hex::encode).collect::<Vec<_>>(), "root": hex::encode(rung.root),
        })
    };
    json!({
        "under": if proof.is_own { "own" } else { "root" }, "kind": proof.kind.name(), "kind_records": proof.kind_records,
        "segment_number": proof.segment_number, "segment": rung(&proof.segment_rung), "kind_tree": rung(&proof.kind_rung),
        "database": rung(&proof.database_rung),
    })
}

fn json_of_block(block: &BlockProof) -> Value {
    json!({
        "first_height": block.first_height, "height": block.height, "size": block.size, "leaf": hex::encode(block.leaf),
        "path": block.path.iter().map(hex::encode).collect::<Vec<_>>(), "root": hex::encode(block.root),
    })
}

fn text(answer: &Answer, home: &Home) -> String {
    // All hashes of a path for one record; of many, the roots that they lead to.
    let is_one = answer.records.len() == 1;
    let mut text = String::new();
    for traced in &answer.records {
        text.push_str(&format!("{}: {}\n", traced.database, traced.subject.in_words(&traced.database)));
        let side = |name: &str, sighting: &Option<Sighting>, text: &mut String| {
            if let Some(sighting) = sighting {
                text.push_str(&format!("  {name:<7} {}\n", in_words(sighting, &home.root)));
            }
        };
        side("source", &traced.source, &mut text);
        if let Some(step) = &traced.step {
            text.push_str(&step_in_words(step));
        }
        side("target", &traced.target, &mut text);
        if let Some(proof) = &traced.proof {
            text.push_str(&proof_in_words(proof, is_one));
        }
    }
    if let Some(block) = &answer.block {
        text.push_str(&format!(
            "The block of height {} in the tree of the heights from {}, which a checkpoint signs\n  leaf    {}\n",
            block.height,
            block.first_height,
            hex::encode(block.leaf)
        ));
        block.path.iter().for_each(|hash| text.push_str(&format!("  path    {}\n", hex::encode(hash))));
        text.push_str(&format!("  root    {} of {} leaves\n", hex::encode(block.root), block.size));
    }
    text
}

fn in_words(sighting: &Sighting, home: &Path) -> String {
    let short = |file: &Path| file.strip_prefix(home).unwrap_or(file).display().to_string();
    let place = match &sighting.location {
        Location::Block { file, offset } => format!("{}, block at {offset}", short(file)),
        Location::LogRecord { file, offset } => format!("{}, record at {offset}", short(file)),
        Location::Within { files } if files.is_empty() => "in no file".to_owned(),
        Location::Within { files } => {
            let files: Vec<String> = files.iter().map(|file| short(file)).collect();
            format!("{} (the engine does not say where in it)", files.join(" or "))
        }
    };
    let layout = sighting.layout.map(|layout| format!(" (layout {})", layout.label())).unwrap_or_default();
    format!("key {}{layout}, {} bytes: {place}", hex::encode(&sighting.key), sighting.value_bytes)
}

fn step_in_words(step: &Step) -> String {
    let mut text =
        format!("  step    {}, {} to {}; {} ({})\n", step.fate.name(), step.from, step.to, step.migration, step.phase);
    let mut more = |line: String| text.push_str(&format!("          {line}\n"));
    step.reason.iter().for_each(|reason| more(format!("it {reason}")));
    if let Some(shard) = &step.shard {
        let (number, shards, rows, blake3) = (shard.number + 1, shard.shards, shard.rows, hex::encode(shard.blake3));
        more(format!("copied in shard {number} of {shards}: {rows} rows, BLAKE3 {blake3}"));
    }
    step.note.iter().for_each(|note| more(note.clone()));
    text
}

fn proof_in_words(proof: &RecordProof, is_whole: bool) -> String {
    let RecordProof { kind, segment_rung, kind_rung, database_rung, .. } = proof;
    let tree = if proof.is_own { "own root" } else { "root" };
    let mut text = format!(
        "  proof   record {} of {} in segment {} of {}, under the {tree} {}\n",
        segment_rung.index + 1,
        segment_rung.total,
        proof.segment_number,
        kind.name(),
        hex::encode(database_rung.root)
    );
    if is_whole {
        for (name, rung) in [("record", segment_rung), ("segment", kind_rung), ("kind", database_rung)] {
            text.push_str(&format!("  {name:<7} {}, {} of {}\n", hex::encode(rung.leaf), rung.index + 1, rung.total));
            rung.path.iter().for_each(|hash| text.push_str(&format!("  path    {}\n", hex::encode(hash))));
        }
    }
    text
}
