//! The walk through the steps of a switch that has begun.

use ledger_formats::durable;

use super::{SwitchError, config, genesis, inode};
use crate::context::Context;
use crate::event::{Event, Exchange};
use crate::migration::{Core, SwitchHistory};

/// Takes all steps; those that an earlier walk took have no effect.
pub(super) fn walk(core: &mut Core, context: &Context<'_>) -> Result<(), SwitchError> {
    let switch = core.history.switch.clone().expect("a walk follows the record of its beginning");
    step(core, context, "put the start guard on", |core| config::guard_on(core, switch.switch))?;
    for exchange in &switch.exchanges {
        step(core, context, &format!("exchange {}", exchange.database), |_| swap(exchange))?;
    }
    if let Some(planned) = core.plan.genesis.clone() {
        step(core, context, "write the genesis file", |core| genesis::write(core, switch.switch, &planned))?;
    }
    step(core, context, "write the configuration and take the start guard off", |core| {
        config::guard_off(core, switch.switch, &switch.settings)
    })?;
    commit(core, context, &switch)
}

fn step(
    core: &mut Core,
    context: &Context<'_>,
    name: &str,
    action: impl FnOnce(&Core) -> Result<(), SwitchError>,
) -> Result<(), SwitchError> {
    context.listener.say(name);
    core.record(context, Event::StepBegun { step: name.to_owned() })?;
    action(core)?;
    core.record(context, Event::StepDone { step: name.to_owned() })?;
    Ok(())
}

/// Exchanges the two folders unless the wanted one is live already.
fn swap(exchange: &Exchange) -> Result<(), SwitchError> {
    if inode(&exchange.live)? == exchange.inode {
        return Ok(());
    }
    if inode(&exchange.waiting)? != exchange.inode {
        return Err(SwitchError::FolderUnknown {
            database: exchange.database.clone(),
            live: exchange.live.clone(),
            waiting: exchange.waiting.clone(),
        });
    }
    Ok(durable::exchange(&exchange.live, &exchange.waiting)?)
}

fn commit(core: &mut Core, context: &Context<'_>, switch: &SwitchHistory) -> Result<(), SwitchError> {
    core.record(context, Event::Switched { switch: switch.switch })?;
    Ok(())
}
