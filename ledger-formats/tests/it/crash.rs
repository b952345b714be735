//! Lets a chosen durable step of the current thread fail, as if the process had ended before it.
//!
//! The observer of durable steps is one for the process: tests of this binary that want to see
//! steps do it through here.

use std::cell::Cell;
use std::io;
use std::sync::Once;

use ledger_formats::durable;

thread_local! {
    static STEPS_LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    static REACHED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `action` and fails every durable step of this thread from the one numbered `step` on.
/// Returns the action's result, and whether the step was reached.
pub fn at_step<T>(step: u32, action: impl FnOnce() -> T) -> (T, bool) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| durable::observe(Box::new(|_, _| count_down())));
    STEPS_LEFT.set(Some(step));
    let result = action();
    STEPS_LEFT.set(None);
    (result, REACHED.take())
}

fn count_down() -> io::Result<()> {
    match STEPS_LEFT.get() {
        None => Ok(()),
        Some(0) => {
            REACHED.set(true);
            Err(io::Error::other("the test ends the process here"))
        }
        Some(left) => {
            STEPS_LEFT.set(Some(left - 1));
            Ok(())
        }
    }
}
