//! `cutover`: the verified new databases become the node's own.

use ledger_formats::durable;
use node_migrate::home::{Home, service};
use node_migrate::migration::{self, Core, Migration, Stage, Verdict, Verified};
use node_migrate::receipt;
use proofs::note::{Algorithm, SignerKey};
use serde_json::json;

use super::Surroundings;
use crate::cli::{Consent, CutoverArguments};
use crate::error::{AppError, Kind};

/// Cuts over, or shows what would be done.
pub(super) fn run(command: &CutoverArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.change.home)?;
    let Some(stage) = migration::open(&home)? else {
        return Err(
            AppError::new(Kind::State, "no migration is under way in this home").hint("begin with `plan` and `run`")
        );
    };
    if !command.change.execute {
        return dry(&stage, &home, world);
    }
    let context = world.context();
    match stage {
        Stage::Verified(migration) => execute(migration, &home, &command.consent, world),
        Stage::Switching(migration) => {
            let done = migration.cut_over(&context)?;
            finish(done.core(), &command.consent, world)
        }
        Stage::Planned(_) => {
            Err(AppError::new(Kind::State, "the copy is not complete")
                .hint("go on with `run --execute`, then `verify`"))
        }
        Stage::Copied(migration) => Err(not_verified(migration.core())),
        Stage::CutOver(migration) => {
            // The commit record may be all that an interrupted cut-over had time for.
            finish(migration.core(), &command.consent, world)
        }
    }
}

/// Cuts a verified migration over and writes its receipt.
pub(super) fn execute(
    migration: Migration<Verified>,
    home: &Home,
    consent: &Consent,
    world: &Surroundings,
) -> Result<(), AppError> {
    if let Verdict::Passed(statement) = &migration.core().history().verdict
        && !statement.exceptions.is_empty()
        && !consent.accept_exceptions
    {
        return Err(AppError::new(Kind::State, "quarantined places of the source are missing in the new databases")
            .hint("look at them with `verify`; if the node can live without them, add --accept-exceptions"));
    }
    for finding in overrides(home) {
        world.context().listener.say(&format!("note: {finding}"));
    }
    let done = migration.cut_over(&world.context())?;
    finish(done.core(), consent, world)
}

/// What would override the settings that the cut-over writes.
fn overrides(home: &Home) -> Vec<service::Finding> {
    let user_home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    service::find_overrides(home, &service::Places::of_system(user_home.as_deref()))
}

fn not_verified(core: &Core) -> AppError {
    match core.history().verdict {
        Verdict::Failed { findings } => {
            AppError::new(Kind::Verification, format!("the last verification found {findings} faults: no cut-over"))
                .hint("`verify` shows them; `discard --execute` removes the copies")
        }
        _ => AppError::new(Kind::State, "the new databases are not verified").hint("run `verify` first"),
    }
}

/// Writes the receipt. The node may already start: what is read for it is the old databases.
fn finish(core: &Core, consent: &Consent, world: &Surroundings) -> Result<(), AppError> {
    let key = signing_key(core, consent)?;
    let time = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let receipt = receipt::write(core, &world.context(), &key, consent.key.as_deref(), time)?;
    let value = json!({
        "phase": core.phase().name(), "migration": core.workspace().id(), "receipt": core.workspace().receipt(),
        "signed_by": key.verifier().to_string(), "receipt_text": receipt,
    });
    world.output.outcome(&value, || {
        format!(
            "Cut over: the node now opens the {} databases. The receipt is {} (signed by {}).\n\
             Start the node and look at it. `rollback` goes back while no new height is written; `finalise` removes the old databases.",
            core.plan().target,
            core.workspace().receipt().display(),
            key.verifier()
        )
    });
    Ok(())
}

/// The key given, or the one of this home's workspaces, made when there is none.
fn signing_key(core: &Core, consent: &Consent) -> Result<SignerKey, AppError> {
    let own = core.workspace().root().with_file_name("receipt.key");
    let path = consent.key.as_ref().unwrap_or(&own);
    if consent.key.is_none() && !own.exists() {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| AppError::new(Kind::System, format!("no randomness for a key: {error}")))?;
        let key = SignerKey::from_seed("node-migrate/receipts", Algorithm::Ed25519, &seed)
            .map_err(|error| AppError::new(Kind::System, error.to_string()))?;
        durable::write_secret(&own, format!("{}\n", key.to_secret_text()).as_bytes())?;
        return Ok(key);
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| AppError::new(Kind::System, format!("cannot read the key {}: {error}", path.display())))?;
    SignerKey::parse(text.trim_end()).map_err(|error| {
        AppError::new(Kind::Usage, format!("{} is not a signing key: {error}", path.display()))
            .hint("a key is one line, PRIVATE+KEY+<name>+<id>+<base64>, as C2SP signed notes use it")
    })
}

fn dry(stage: &Stage, home: &Home, world: &Surroundings) -> Result<(), AppError> {
    let core = stage.core();
    let settings: Vec<String> = core
        .plan()
        .settings
        .iter()
        .map(|setting| format!("{}: {:?} becomes {:?}", setting.setting, setting.from, setting.to))
        .collect();
    let overrides: Vec<String> = overrides(home).iter().map(ToString::to_string).collect();
    let value = json!({
        "phase": core.phase().name(), "databases": core.plan().names().collect::<Vec<_>>(),
        "settings": settings, "overrides": overrides,
    });
    world.output.result(&value, || {
        let mut text = format!("The migration is {}.\n", core.phase().name());
        text.push_str("A cut-over would lock the databases, put the start guard on, exchange these folders, and write the settings:\n");
        text.extend(core.plan().names().map(|name| format!("  {name}\n")));
        text.extend(settings.iter().map(|setting| format!("  {setting}\n")));
        text.extend(overrides.iter().map(|finding| format!("Note: {finding}\n")));
        text.push_str("Nothing was changed. Add --execute to do it.");
        text
    });
    Ok(())
}
