//! From a receipt to its canonical text.

use std::fmt::Display;

use super::read::ReceiptError;
use super::{HEADER, Receipt, SideReceipt};

impl Receipt {
    /// The canonical text.
    ///
    /// # Errors
    /// [`ReceiptError::Text`] if a text is empty or has control characters.
    pub fn to_text(&self) -> Result<String, ReceiptError> {
        let mut lines = Lines { text: format!("{HEADER}\n") };
        lines.text("migration", &self.migration)?;
        lines.text("tool", &self.tool)?;
        lines.put("time", self.time);
        if let Some(chain_id) = &self.chain_id {
            lines.text("chain", chain_id)?;
        }
        if let Some((first, last)) = self.heights {
            lines.put("heights", format_args!("{first} {last}"));
        }
        lines.put("journal", hex::encode(self.journal_head));
        if let Some(head) = &self.checkpoint {
            lines.put("checkpoint", format_args!("{} {} {}", head.origin(), head.size(), hex::encode(head.root())));
        }
        for database in &self.databases {
            lines.text("database", &database.name)?;
            lines.side("source", &database.source)?;
            lines.side("target", &database.target)?;
        }
        let lists = [("verified", &self.verified), ("exception", &self.exceptions), ("not-checked", &self.not_checked)];
        for (key, texts) in lists {
            texts.iter().try_for_each(|text| lines.text(key, text))?;
        }
        Ok(lines.text)
    }
}

struct Lines {
    text: String,
}

impl Lines {
    fn put(&mut self, key: &str, value: impl Display) {
        self.text.push_str(&format!("{key} {value}\n"));
    }

    fn text(&mut self, key: &str, text: &str) -> Result<(), ReceiptError> {
        if text.is_empty() || text.contains(char::is_control) {
            return Err(ReceiptError::Text { key: key.to_owned(), text: text.to_owned() });
        }
        self.put(key, text);
        Ok(())
    }

    fn side(&mut self, side: &str, receipt: &SideReceipt) -> Result<(), ReceiptError> {
        self.text(&format!("{side}-format"), &receipt.format)?;
        self.put(&format!("{side}-keys"), receipt.keys);
        self.put(&format!("{side}-key-bytes"), receipt.key_bytes);
        self.put(&format!("{side}-value-bytes"), receipt.value_bytes);
        self.put(&format!("{side}-sha256"), hex::encode(receipt.sha256));
        if let Some(root) = &receipt.root {
            self.put(&format!("{side}-root"), hex::encode(root));
        }
        Ok(())
    }
}
