"""The playground's page and the JSON interface behind it."""
