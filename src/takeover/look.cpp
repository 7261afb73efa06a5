#include "takeover/look.h"

#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "appdb/postgres_connection.h"
#include "base/failure.h"
#include "base/version.h"
#include "drivers/all.h"

namespace basalt::takeover {
namespace {

using appdb::PostgresConnection;

std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string counted(std::int64_t n, const char* one, const char* many) { return grouped(n) + " " + (n == 1 ? one : many); }

using Cells = std::vector<std::optional<std::string>>;

// A database that is read: texts in, texts out.
class Source {
 public:
  virtual ~Source() = default;
  virtual void each(const std::string& sql, const std::function<void(const Cells&)>& row) = 0;

  std::optional<std::string> one(const std::string& sql) {
    std::optional<std::string> out;
    each(sql, [&](const Cells& cells) { if (!cells.empty()) out = cells[0]; });
    return out;
  }
  std::int64_t count(const std::string& sql) {
    auto text = one(sql).value_or("0");
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  }

  // Its tables and columns by their names in lower case, so that nothing is asked for that a release does not have.
  bool has(const std::string& table) const { return tables_.contains(table); }
  bool has(const std::string& table, const std::string& column) const { return columns_.contains({table, column}); }
  std::string name(const std::string& table) const { return prefix + quoted(tables_.at(table)); }
  std::string quoted(const std::string& identifier) const {
    std::string out(1, quote);
    for (char c : identifier) out += c == quote ? std::string(2, quote) : std::string(1, c);
    return out + quote;
  }

  char quote = '"';
  std::string prefix;  // the schema with its dot

 protected:
  // `columns`: rows of table and column.
  void note_tables(const std::string& columns) {
    each(columns, [&](const Cells& cells) {
      auto table = lower(cells[0].value_or(""));
      tables_[table] = cells[0].value_or("");
      columns_.insert({table, lower(cells[1].value_or(""))});
    });
  }

 private:
  static std::string lower(std::string text) {
    for (auto& c : text) if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
  }
  std::map<std::string, std::string> tables_;
  std::set<std::pair<std::string, std::string>> columns_;
};

class PostgresSource final : public Source {
 public:
  explicit PostgresSource(PostgresConnection& connection) : connection_(connection) {}
  // `schema` as it is called, from the catalogue.
  void use(const std::string& schema) {
    prefix = quoted(schema) + ".";
    std::string text;
    for (char c : schema) text += c == '\'' ? "''" : std::string(1, c);
    // Not from information_schema, which leaves out what this user may not read.
    note_tables("SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '" + text +
                "' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped");
  }
  void each(const std::string& sql, const std::function<void(const Cells&)>& row) override {
    connection_.each(sql, {}, [&](const appdb::Row& values) {
      Cells cells;
      for (auto& value : values.values()) {
        if (auto* text = std::get_if<std::string>(&value)) cells.emplace_back(*text);
        else if (auto* number = std::get_if<std::int64_t>(&value)) cells.emplace_back(std::to_string(*number));
        else cells.emplace_back();
      }
      row(cells);
    });
  }

 private:
  PostgresConnection& connection_;
};

class MysqlSource final : public Source {
 public:
  explicit MysqlSource(drivers::Connection& connection) : connection_(connection) {
    quote = '`';
    // One snapshot would need a transaction that may not be begun here; a Metabase that is being changed says so in its lock.
    note_tables("SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.columns WHERE table_schema = DATABASE()");
  }
  void each(const std::string& sql, const std::function<void(const Cells&)>& row) override {
    drivers::ExecuteOptions options;
    options.deadline = std::chrono::seconds(10);
    auto cursor = connection_.execute(sql::Statement{sql, {}}, options);
    rows::Batch batch;
    while (cursor->next(batch))
      for (std::size_t i = 0; i < batch.rows(); ++i) {
        Cells cells;
        for (auto& column : batch.columns) {
          if (column.is_null(i)) cells.emplace_back();
          else if (column.kind() == rows::Kind::Integer || column.kind() == rows::Kind::Boolean) cells.emplace_back(std::to_string(column.integer(i)));
          else if (column.kind() == rows::Kind::Real) cells.emplace_back(std::to_string(column.real(i)));
          else cells.emplace_back(std::string(column.text(i)));
        }
        row(cells);
      }
  }

 private:
  drivers::Connection& connection_;
};

// The greater of two texts like "v0.50.3 (abc1234)" by their numbers.
bool newer(std::string_view a, std::string_view b) {
  auto numbers = [](std::string_view text) {
    std::vector<int> out;
    for (std::size_t i = 0; i < text.size() && text[i] != ' ';) {
      if (text[i] < '0' || text[i] > '9') { ++i; continue; }
      int n = 0;
      for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && n < 100'000'000; ++i) n = n * 10 + (text[i] - '0');
      out.push_back(n);
    }
    return out;
  };
  return numbers(a) > numbers(b);
}

Evidence read_evidence(Source& from) {
  Evidence out;
  // The whole log is some hundreds of lines in any release.
  auto comments = from.has("databasechangelog", "comments") ? "comments" : "NULL";
  auto state = from.has("databasechangelog", "exectype") ? "exectype" : "NULL";
  from.each("SELECT id, " + std::string(comments) + ", " + state + " FROM " + from.name("databasechangelog") + " LIMIT 20000",
            [&](const Cells& cells) { out.changes.push_back(Change{cells[0].value_or(""), cells[1].value_or(""), cells[2].value_or("")}); });
  if (from.has("databasechangelog_version", "metabase_version") && from.has("databasechangelog", "deployment_id")) {
    auto ran = from.has("databasechangelog_version", "ran_migrations") ? " AND v.ran_migrations" : "";
    out.version_row = from.one("SELECT v.metabase_version FROM " + from.name("databasechangelog_version") + " v WHERE v.deployment_id = (SELECT l.deployment_id FROM " + from.name("databasechangelog") +
                               " l ORDER BY l.dateexecuted DESC, l.orderexecuted DESC LIMIT 1)" + ran + " LIMIT 1").value_or("");
  }
  out.models = from.has("report_card", "dataset") || from.has("report_card", "type");
  out.semantic_types = from.has("metabase_field", "semantic_type");
  if (from.has("report_card", "metabase_version"))
    from.each("SELECT DISTINCT metabase_version FROM " + from.name("report_card") + " WHERE metabase_version IS NOT NULL LIMIT 1000", [&](const Cells& cells) {
      if (cells[0] && newer(*cells[0], out.saved_by)) out.saved_by = *cells[0];
    });
  if (from.has("databasechangeloglock", "locked"))
    from.each("SELECT lockedby FROM " + from.name("databasechangeloglock") + " WHERE locked LIMIT 1", [&](const Cells& cells) {
      out.locked = true;
      out.locked_by = cells[0].value_or("");
    });
  out.envelope_keys = from.has("data_encryption_key") && from.count("SELECT count(*) FROM " + from.name("data_encryption_key")) > 0;
  if (from.has("setting", "value"))
    from.each("SELECT value FROM " + from.name("setting") + " WHERE " + from.quoted("key") + " = 'encryption-check'", [&](const Cells& cells) { out.encrypted = cells[0] != "unencrypted"; });
  auto counted_rows = [&](const char* table, const std::string& where) -> std::optional<std::int64_t> {
    if (!from.has(table)) return std::nullopt;
    return from.count("SELECT count(*) FROM " + from.name(table) + where);
  };
  out.people = counted_rows("core_user", from.has("core_user", "type") ? " WHERE type = 'personal'" : "");
  out.questions = counted_rows("report_card", "");
  out.dashboards = counted_rows("report_dashboard", "");
  return out;
}

}  // namespace

std::string Found::text() const {
  std::string out = "A Metabase was found: " + where + ".\n  " + judgement.sentence + "\n";
  if (evidence.questions && evidence.dashboards && evidence.people)
    out += "  It holds " + counted(*evidence.questions, "question", "questions") + ", " + counted(*evidence.dashboards, "dashboard", "dashboards") + " and " + counted(*evidence.people, "account", "accounts") + ".\n";
  for (auto& note : judgement.notes) out += "  " + note + "\n";
  out += "  Basalt " + version() + " tells the way and does not take over yet; that comes with a later version. It touches nothing of this Metabase.\n";
  return out;
}

json::object Found::to_json() const {
  json::array through, notes;
  for (auto& one : judgement.through) through.push_back(json::value(one));
  for (auto& one : judgement.notes) notes.push_back(json::value(one));
  return json::object{{"where", where}, {"version", judgement.version.empty() ? json::value(nullptr) : json::value(judgement.version)}, {"saved_by", evidence.saved_by.empty() ? json::value(nullptr) : json::value(evidence.saved_by)},
                      {"way", word_of(judgement.way)}, {"through", std::move(through)}, {"sentence", judgement.sentence}, {"notes", std::move(notes)}, {"people", json::or_null(evidence.people)},
                      {"questions", json::or_null(evidence.questions)}, {"dashboards", json::or_null(evidence.dashboards)}, {"can_take_over_now", false}};
}

std::optional<Found> look_in_postgres(const std::string& uri) {
  PostgresConnection connection(uri, "public");
  connection.execute_script("SET default_transaction_read_only TO on; SET statement_timeout TO '10s'; SET lock_timeout TO '2s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  auto row = connection.query_one("SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relname = 'databasechangelog' AND EXISTS "
                                  "(SELECT 1 FROM pg_class m WHERE m.relnamespace = n.oid AND m.relname = 'metabase_database') ORDER BY n.nspname <> 'public', n.nspname LIMIT 1");
  if (!row) return std::nullopt;
  Found found;
  auto schema = row->text("schema");
  found.where = "PostgreSQL, schema " + schema;
  try {
    PostgresSource source(connection);
    source.use(schema);
    found.evidence = read_evidence(source);
    found.judgement = judge(found.evidence);
  } catch (const Failure&) {
    // Most often no rights; the tables are there all the same, and that is worth saying.
    found.evidence = {};
    found.judgement.sentence = "Its tables could not be read with this user" + (connection.last_error_code() == "42501" ? std::string(", who may not") : " (" + connection.last_error_code() + ")") +
                               ", so that its version cannot be told. Look again with the user of that Metabase.";
  }
  return found;
}

std::optional<Found> look_in_mysql(const MysqlPlace& place) {
  Found found;
  // Never more of the address: a password may stand in it.
  found.where = "MySQL on " + place.host + ":" + std::to_string(place.port) + ", database " + place.database;
  auto connection = drivers::make_mysql()->connect(json::object{{"host", place.host}, {"port", place.port}, {"dbname", place.database}, {"user", place.user}, {"password", place.password}, {"ssl", place.tls}});
  MysqlSource source(*connection);
  if (!source.has("databasechangelog") || !source.has("metabase_database")) return std::nullopt;
  found.evidence = read_evidence(source);
  found.judgement = judge(found.evidence);
  return found;
}

std::optional<Found> look_at_h2(const std::filesystem::path& path) {
  // The last: its image makes a folder of the name and puts the file into it.
  for (auto& file : {path, std::filesystem::path(path.string() + ".mv.db"), path / (path.filename().string() + ".mv.db")}) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) continue;
    std::ifstream in(file, std::ios::binary);
    std::string block(4096, '\0');
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    block.resize(static_cast<std::size_t>(in.gcount()));
    if (auto judgement = judge_h2(block)) {
      Found found;
      found.where = "the file " + file.string();
      found.judgement = *judgement;
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace basalt::takeover
