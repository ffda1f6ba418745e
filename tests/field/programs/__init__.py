"""Programs that the field suite runs in processes of their own."""
