"""What one notebook alone needs. Nothing else imports from here."""
