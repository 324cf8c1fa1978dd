"""What a run leaves for people: tables, CSV files and one HTML page, made from its journal."""
