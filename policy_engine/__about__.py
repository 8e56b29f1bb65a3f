"""The engine's version, which every decision carries."""

ENGINE = "0.1.0"
