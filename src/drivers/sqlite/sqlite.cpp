// SQLite files, opened read-only. Values are typed one by one in SQLite, so the vectors of a batch follow the values.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cctype>
#include <cstring>

#include "base/failure.h"
#include "drivers/all.h"
#include "drivers/sqlite/functions.h"
#include "sql/dialect.h"

namespace basalt::drivers {
namespace {

using Clock = std::chrono::steady_clock;
using rows::Kind;

std::string quoted_identifier(std::string_view identifier) {
  std::string out = "\"";
  for (char c : identifier) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

// The API's type of a declared type; SQLite itself only has affinities.
std::string base_type_of(std::string_view declared) {
  std::string upper;
  for (char c : declared) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  auto has = [&](std::string_view part) { return upper.find(part) != std::string::npos; };
  if (upper.empty()) return "type/*";
  if (has("BOOL")) return "type/Boolean";
  if (has("BIGINT") || has("INT8")) return "type/BigInteger";
  if (has("INT")) return has("POINT") ? "type/*" : "type/Integer";
  if (has("DATETIME") || has("TIMESTAMP")) return "type/DateTime";
  if (has("DATE")) return "type/Date";
  if (has("TIME")) return "type/Time";
  if (has("UUID")) return "type/UUID";
  if (has("JSON")) return "type/JSON";
  if (has("CHAR") || has("CLOB") || has("TEXT") || has("STRING")) return "type/Text";
  if (has("REAL") || has("FLOA") || has("DOUB")) return "type/Float";
  if (has("DEC") || has("NUM")) return "type/Decimal";
  return "type/*";
}

struct FinishStatement { void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); } };
using Prepared = std::unique_ptr<sqlite3_stmt, FinishStatement>;
struct CloseDatabase { void operator()(sqlite3* database) const { sqlite3_close_v2(database); } };
using Handle = std::unique_ptr<sqlite3, CloseDatabase>;

// A clear sentence for what SQLite would call "unable to open database file" or find out only at the first query.
void check_file(const std::string& path) {
  auto refuse = [&](const std::string& sentence) { return Failure(FailureKind::Database, sentence).with_field("db", sentence); };
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw refuse("There is no file " + path + " on the server.");
    if (errno == EACCES) throw refuse("The server has no right to read " + path + ".");
    throw refuse("The file " + path + " can't be opened: " + std::strerror(errno) + ".");
  }
  char header[16] = {};
  auto count = ::read(file, header, sizeof header);
  ::close(file);
  if (count < 0) throw refuse("The file " + path + " can't be read: " + std::strerror(errno) + ".");
  if (count == 0) return;  // an empty file is an empty database
  if (count != 16 || std::memcmp(header, "SQLite format 3", 16) != 0) throw refuse("The file " + path + " is not a SQLite database.");
}

// Questions only read; what could reach other files or change the connection is refused.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return SQLITE_DENY;
    case SQLITE_PRAGMA: {
      static constexpr std::string_view readable[] = {"table_info", "table_xinfo", "table_list", "foreign_key_list", "index_list",
                                                      "index_info", "index_xinfo", "database_list", "function_list", "collation_list",
                                                      "compile_options"};
      bool lists = std::find(std::begin(readable), std::end(readable), std::string_view(first ? first : "")) != std::end(readable);
      return lists || !second ? SQLITE_OK : SQLITE_DENY;
    }
    case SQLITE_FUNCTION: return second && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_OK;
  }
}

class SqliteConnection;

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(SqliteConnection& connection, Prepared statement);
  ~SqliteCursor() override;
  const std::vector<rows::Column>& columns() const override { return columns_; }
  bool next(rows::Batch& batch) override;

 private:
  bool append_row(rows::Batch& batch, std::size_t row, std::size_t& bytes);
  void step();

  SqliteConnection& connection_;
  Prepared statement_;
  std::vector<rows::Column> columns_;
  bool has_row_ = false, done_ = false;
};

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(const std::string& path) {
    check_file(path);
    sqlite3* opened = nullptr;
    int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(opened);
    if (code != SQLITE_OK) fail();
    sqlite3_extended_result_codes(opened, 1);
    sqlite3_busy_timeout(opened, 10'000);
    sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);  // VACUUM INTO would write files
    sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, static_cast<int>(rows::value_limit) + 1024);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);  // "no_such_column" is an error, not a text
    register_functions(opened);
    sqlite3_set_authorizer(opened, authorize, nullptr);
    sqlite3_progress_handler(opened, 2000, [](void* self) { return static_cast<SqliteConnection*>(self)->has_to_stop() ? 1 : 0; }, this);
    // Reads the schema: a damaged file is told of now.
    each("SELECT count(*) FROM sqlite_master", [](sqlite3_stmt*) {});
  }

  ServerVersion version() override {
    int number = sqlite3_libversion_number();
    return {"SQLite", sqlite3_libversion(), {number / 1'000'000, number / 1000 % 1000, number % 1000}};
  }
  std::vector<std::string> schemas() override { return {}; }

  void describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) override {
    std::vector<std::pair<std::string, bool>> names;
    each("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
         [&](sqlite3_stmt* row) { names.emplace_back(text(row, 0), text(row, 1) == "view"); });
    std::map<std::string, std::int64_t> estimates;
    bool analyzed = false;
    each("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'", [&](sqlite3_stmt*) { analyzed = true; });
    if (analyzed) {
      each("SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl",
           [&](sqlite3_stmt* row) { estimates[text(row, 0)] = sqlite3_column_int64(row, 1); });
    }
    for (auto& [name, is_view] : names) {
      if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
      DescribedTable described{.schema = std::nullopt, .name = name, .is_view = is_view};
      if (auto found = estimates.find(name); found != estimates.end()) described.estimated_rows = found->second;
      int keys = 0;
      try {
        each(("PRAGMA table_xinfo(" + quoted_identifier(name) + ")").c_str(), [&](sqlite3_stmt* row) {
          if (sqlite3_column_int(row, 6) == 1) return;  // hidden column of a virtual table
          DescribedColumn column;
          column.name = text(row, 1);
          column.database_type = text(row, 2);
          column.base_type = base_type_of(column.database_type);
          column.position = static_cast<int>(described.columns.size());
          column.is_primary_key = sqlite3_column_int(row, 5) > 0;
          keys += column.is_primary_key;
          column.nullable = sqlite3_column_int(row, 3) == 0 && !column.is_primary_key;
          if (sqlite3_column_type(row, 4) != SQLITE_NULL) column.default_value = text(row, 4);
          bool generated = sqlite3_column_int(row, 6) > 1;
          column.required = !column.nullable && !column.default_value && !generated;
          described.columns.push_back(std::move(column));
        });
      } catch (const Failure&) {
        continue;  // a view over a table that is gone
      }
      for (auto& column : described.columns) {
        // INTEGER PRIMARY KEY is the row's own number and fills itself.
        if (keys == 1 && column.is_primary_key && sqlite3_stricmp(column.database_type.c_str(), "INTEGER") == 0) {
          column.auto_increment = true;
          column.required = false;
        }
      }
      table(std::move(described));
    }
  }

  std::vector<DescribedForeignKey> foreign_keys() override {
    std::vector<DescribedForeignKey> keys;
    each("SELECT m.name, f.\"from\", f.\"table\", coalesce(f.\"to\", (SELECT k.name FROM pragma_table_info(f.\"table\") AS k WHERE k.pk = 1)) "
         "FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f "
         "WHERE m.type = 'table' AND (SELECT count(*) FROM pragma_foreign_key_list(m.name) AS other WHERE other.id = f.id) = 1 "
         "ORDER BY 1, 2",
         [&](sqlite3_stmt* row) {
           if (sqlite3_column_type(row, 3) != SQLITE_NULL)
             keys.push_back({std::nullopt, text(row, 0), text(row, 1), std::nullopt, text(row, 2), text(row, 3)});
         });
    return keys;
  }

  std::unique_ptr<Cursor> execute(const sql::Statement& statement, const ExecuteOptions& options) override {
    allowed_ = options.deadline.value_or(std::chrono::milliseconds(0));
    deadline_ = options.deadline ? Clock::now() + *options.deadline : Clock::time_point::max();
    cancelled_ = false;
    running_ = true;
    try {
      sqlite3_stmt* made = nullptr;
      const char* tail = nullptr;
      int code = sqlite3_prepare_v2(handle_.get(), statement.text.c_str(), static_cast<int>(statement.text.size()), &made, &tail);
      Prepared prepared(made);
      if (code != SQLITE_OK) fail();
      if (!prepared) throw Failure(FailureKind::Database, "The query is empty; write a SELECT.");
      if (sqlite3_stmt* more = nullptr; sqlite3_prepare_v2(handle_.get(), tail, -1, &more, nullptr) != SQLITE_OK || more) {
        sqlite3_finalize(more);
        throw Failure(FailureKind::Database, "A question is one statement; this is more than one.");
      }
      if (options.read_only && !sqlite3_stmt_readonly(made)) throw Failure(FailureKind::Database, "Questions can only read; write a SELECT.");
      bind(made, statement.values);
      return std::make_unique<SqliteCursor>(*this, std::move(prepared));
    } catch (...) {
      running_ = false;
      throw;
    }
  }

  void cancel() override {
    if (!running_) return;
    cancelled_ = true;  // seen by the progress handler
    sqlite3_interrupt(handle_.get());
  }
  bool is_alive() override { return true; }

 private:
  friend class SqliteCursor;

  bool has_to_stop() const { return cancelled_ || Clock::now() >= deadline_; }
  static std::string text(sqlite3_stmt* row, int column) {
    auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column))) : std::string();
  }
  // A statement of our own.
  void each(const char* sql, const std::function<void(sqlite3_stmt*)>& row) {
    deadline_ = Clock::time_point::max();
    cancelled_ = false;
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql, -1, &made, nullptr) != SQLITE_OK) fail();
    Prepared prepared(made);
    for (;;) {
      int code = sqlite3_step(made);
      if (code == SQLITE_DONE) return;
      if (code != SQLITE_ROW) fail();
      row(made);
    }
  }
  static void bind(sqlite3_stmt* statement, const std::vector<sql::BoundValue>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      int number = static_cast<int>(i) + 1;
      auto bind_text = [&](const std::string& v) { sqlite3_bind_text(statement, number, v.data(), static_cast<int>(v.size()), SQLITE_TRANSIENT); };
      std::visit([&](auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, sql::NullValue>) sqlite3_bind_null(statement, number);
        else if constexpr (std::is_same_v<T, bool>) sqlite3_bind_int(statement, number, v);
        else if constexpr (std::is_same_v<T, std::int64_t>) sqlite3_bind_int64(statement, number, v);
        else if constexpr (std::is_same_v<T, double>) sqlite3_bind_double(statement, number, v);
        else if constexpr (std::is_same_v<T, std::string>) bind_text(v);
        else if constexpr (std::is_same_v<T, sql::DecimalValue>) sqlite3_bind_double(statement, number, std::strtod(v.text.c_str(), nullptr));
        else bind_text(v.text);
      }, values[i]);
    }
  }
  [[noreturn]] void fail() {
    if ((sqlite3_errcode(handle_.get()) & 0xFF) == SQLITE_INTERRUPT) {
      if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
      throw Failure(FailureKind::Timeout, "The query took longer than the " + std::to_string(std::max<std::int64_t>(1, allowed_.count() / 1000)) +
                                              " seconds it may take and was stopped.");
    }
    throw Failure(FailureKind::Database, handle_ ? sqlite3_errmsg(handle_.get()) : "There is no memory left to open the file.");
  }

  Handle handle_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::chrono::milliseconds allowed_{0};
  std::atomic<bool> cancelled_ = false, running_ = false;
};

SqliteCursor::SqliteCursor(SqliteConnection& connection, Prepared statement) : connection_(connection), statement_(std::move(statement)) {
  step();
  for (int i = 0; i < sqlite3_column_count(statement_.get()); ++i) {
    rows::Column column;
    column.name = sqlite3_column_name(statement_.get(), i);
    if (auto* declared = sqlite3_column_decltype(statement_.get(), i)) {
      column.database_type = declared;
      column.base_type = base_type_of(declared);
    }
    // A computed column has no declared type: its first value tells.
    int type = has_row_ ? sqlite3_column_type(statement_.get(), i) : SQLITE_NULL;
    if (column.base_type.empty() || column.base_type == "type/*") {
      if (column.database_type.empty()) column.database_type = type == SQLITE_INTEGER ? "INTEGER" : type == SQLITE_FLOAT ? "REAL" : type == SQLITE_BLOB ? "BLOB" : "TEXT";
      column.base_type = type == SQLITE_INTEGER ? "type/Integer" : type == SQLITE_FLOAT ? "type/Float" : type == SQLITE_TEXT ? "type/Text" : "type/*";
    }
    if (column.base_type == "type/Boolean") column.kind = Kind::Boolean;
    else if (column.base_type == "type/Integer" || column.base_type == "type/BigInteger") column.kind = Kind::Integer;
    else if (column.base_type == "type/Float" || column.base_type == "type/Decimal") column.kind = Kind::Real;
    else if (column.base_type == "type/JSON") column.kind = Kind::Json;
    columns_.push_back(std::move(column));
  }
}

SqliteCursor::~SqliteCursor() { connection_.running_ = false; }

void SqliteCursor::step() {
  int code = sqlite3_step(statement_.get());
  has_row_ = code == SQLITE_ROW;
  done_ = !has_row_;
  if (code == SQLITE_ROW || code == SQLITE_DONE) return;
  connection_.fail();
}

bool SqliteCursor::next(rows::Batch& batch) {
  rows::prepare(batch, columns_);
  std::size_t rows = 0, bytes = 0;
  auto began = Clock::now();
  while (has_row_ && rows < rows::batch_rows && bytes < rows::batch_bytes) {
    if (!append_row(batch, rows, bytes)) break;  // a value of another type: it opens the next batch
    ++rows;
    step();
    // Rows that come slowly are handed on; the clock is asked rarely.
    if (rows % 16 == 0 && Clock::now() - began > std::chrono::milliseconds(50)) break;
  }
  if (!has_row_) connection_.running_ = false;
  return rows > 0;
}

// False, and nothing appended, when a value does not fit a vector that already has values of another kind.
bool SqliteCursor::append_row(rows::Batch& batch, std::size_t row, std::size_t& bytes) {
  auto* statement = statement_.get();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int type = sqlite3_column_type(statement, static_cast<int>(i));
    auto kind = batch.columns[i].kind();
    bool fits = true;
    Kind wanted = kind;
    switch (type) {
      case SQLITE_INTEGER:
        fits = kind == Kind::Integer || kind == Kind::Boolean || kind == Kind::Real;
        if (kind == Kind::Boolean) {
          auto number = sqlite3_column_int64(statement, static_cast<int>(i));
          fits = number == 0 || number == 1;
        }
        wanted = Kind::Integer;
        break;
      case SQLITE_FLOAT: fits = kind == Kind::Real; wanted = Kind::Real; break;
      case SQLITE_TEXT: fits = kind == Kind::Text || kind == Kind::Json; wanted = Kind::Text; break;
      case SQLITE_BLOB: fits = kind == Kind::Bytes; wanted = Kind::Bytes; break;
      default: break;
    }
    if (fits) continue;
    for (std::size_t r = 0; r < row; ++r) {
      if (!batch.columns[i].is_null(r)) return false;
    }
    batch.columns[i] = rows::Vector(wanted);
    for (std::size_t r = 0; r < row; ++r) batch.columns[i].append_null();
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto index = static_cast<int>(i);
    auto& column = batch.columns[i];
    switch (sqlite3_column_type(statement, index)) {
      case SQLITE_NULL: column.append_null(); break;
      case SQLITE_INTEGER:
        if (column.kind() == Kind::Real) column.append_real(static_cast<double>(sqlite3_column_int64(statement, index)));
        else column.append_integer(sqlite3_column_int64(statement, index));
        break;
      case SQLITE_FLOAT: column.append_real(sqlite3_column_double(statement, index)); break;
      case SQLITE_BLOB: {
        auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
        if (2 * length > rows::value_limit) rows::refuse_giant_value(columns_[i].name, 2 * length);
        auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(statement, index));
        std::string digits;
        digits.reserve(2 * length);
        for (std::size_t at = 0; at < length; ++at) {
          digits += "0123456789abcdef"[data[at] >> 4];
          digits += "0123456789abcdef"[data[at] & 15];
        }
        column.append_text(digits);
        bytes += digits.size();
        break;
      }
      default: {
        auto length = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
        if (length > rows::value_limit) rows::refuse_giant_value(columns_[i].name, length);
        column.append_text({reinterpret_cast<const char*>(sqlite3_column_text(statement, index)), length});
        bytes += length;
      }
    }
  }
  return true;
}

class Sqlite final : public Driver {
 public:
  std::string_view name() const override { return "sqlite"; }
  std::string_view display_name() const override { return "SQLite"; }
  const sql::Dialect& dialect() const override { return sql::sqlite(); }
  std::vector<std::string> secret_details() const override { return {}; }
  std::vector<DetailField> detail_fields() const override {
    return {{.name = "db", .display_name = "Filename", .required = true, .placeholder = "/srv/data/shop.sqlite",
             .helper_text = "The path of a SQLite file on the server. It is opened for reading only."}};
  }
  std::vector<std::string> features() const override {
    return {"advanced-math-expressions", "basic-aggregations", "binning", "case-sensitivity-string-filter-options", "convert-timezone", "date-arithmetics",
            "datetime-diff", "describe-fields", "describe-fks", "distinct-where", "expression-aggregations", "expression-literals",
            "expressions", "expressions/date", "expressions/float", "expressions/integer", "expressions/text", "fingerprint", "full-join",
            "identifiers-with-spaces", "inner-join", "left-join", "metadata/key-constraints", "percentile-aggregations", "regex", "split-part", "native-parameter-card-reference",
            "native-parameters", "nested-queries", "now", "parameterized-sql", "right-join", "standard-deviation-aggregations",
            "temporal-extract", "window-functions/cumulative", "window-functions/offset"};
  }
  std::unique_ptr<Connection> connect(const json::object& details) const override {
    auto* path = json::find(details, "db");
    if (!path || !path->is_string() || path->get_string().empty()) throw bad_field("db", "Name the SQLite file.");
    return std::make_unique<SqliteConnection>(std::string(path->get_string()));
  }
};

}  // namespace

std::unique_ptr<Driver> make_sqlite() { return std::make_unique<Sqlite>(); }

}  // namespace basalt::drivers
