"""The judge of SQLite stores, apart from the product: reads a path per line, answers what is in that file as one line of JSON."""
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile


def rows_of(c, sql):
    return [tuple(row) for row in c.execute(sql)]


def digest(rows):
    parts = sorted(hashlib.md5(repr(row).encode("utf-8", "surrogatepass")).hexdigest() for row in rows)
    return f"{len(parts)}:{hashlib.md5(''.join(parts).encode()).hexdigest()}"


def state_of(path, query=None):
    # A copy, so that looking does not mend what a crash left.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as scratch:
        copy = os.path.join(scratch, "look.db")
        shutil.copyfile(path, copy)
        if os.path.exists(path + "-wal"):
            shutil.copyfile(path + "-wal", copy + "-wal")
        if os.path.exists(path + "-journal"):
            shutil.copyfile(path + "-journal", copy + "-journal")
        c = sqlite3.connect(copy)
        c.text_factory = lambda b: b.decode("utf-8", "surrogateescape")
        try:
            if query:
                return {"rows": rows_of(c, query)}
            check = rows_of(c, "PRAGMA quick_check")[0][0]
            tables = [row[0] for row in rows_of(c, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
            if "upgrade_meta" not in tables:
                return {"schema": 0, "integrity": check, "parts": {}}
            meta = dict(rows_of(c, "SELECT key, value FROM upgrade_meta"))
            parts = {}
            for table in tables:
                if table.startswith(("upgrade_", "backfill_")):
                    continue
                columns = sorted(row[1] for row in rows_of(c, f'PRAGMA table_info("{table}")'))
                chosen = ", ".join(f'"{name}"' for name in columns)
                parts["rows " + table] = digest(rows_of(c, f'SELECT {chosen} FROM "{table}"'))
                parts["columns " + table] = digest(rows_of(c, f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"))
                parts["indexes " + table] = digest(
                    (row[0], tuple(rows_of(c, f'SELECT name FROM pragma_index_info(\'{row[1]}\')')))
                    for row in rows_of(c, f"SELECT \"unique\", name FROM pragma_index_list('{table}')"))
            parts["parked"] = digest(rows_of(c, "SELECT migration, operation, direction, table_name, column_name, parked_row, value, shown, state FROM upgrade_park"))
            parts["ways back"] = digest(rows_of(c, "SELECT migration, checksum FROM upgrade_down"))
            for key in ("schema", "level", "compat_floor", "structure"):
                parts["meta " + key] = hashlib.md5(str(meta.get(key)).encode()).hexdigest()
            pending = json.loads(meta.get("pending") or "[]")
            parts["meta pending"] = json.dumps(pending)
            return {"schema": int(meta["schema"]), "level": int(meta.get("level", 0)), "pending": pending, "generation": meta.get("generation", ""), "integrity": check, "parts": parts}
        finally:
            c.close()


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = state_of(asked["path"], asked.get("query"))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
