"""Commands of `python -m harness`, each a module with a `main(arguments)`."""
