// DuckDB: databases in one file, and files of rows (CSV, Parquet, JSON) as tables. Everything is read-only and sandboxed.
#include "base/failure.h"
#include "drivers/all.h"
#include "drivers/duckdb/instance.h"
#include "drivers/duckdb/values.h"
#include "sql/dialect.h"

namespace basalt::drivers {
namespace {

using namespace duckdb;
using Steady = std::chrono::steady_clock;
const std::string usual_zone = "UTC";  // DuckDB has no zone of its own

class DuckConnection;

class DuckCursor final : public Cursor {
 public:
  DuckCursor(DuckConnection& connection, duckdb_prepared_statement prepared, duckdb_result result, const TimeZone* zone);
  ~DuckCursor() override;
  const std::vector<rows::Column>& columns() const override { return columns_; }
  bool next(rows::Batch& batch) override;

 private:
  void finish();

  DuckConnection& connection_;
  const Library& library_;
  duckdb_prepared_statement prepared_;
  duckdb_result result_;
  const TimeZone* zone_;
  std::vector<rows::Column> columns_;
  std::vector<Type> types_;
  duckdb_data_chunk chunk_ = nullptr;
  std::uint64_t row_ = 0, rows_ = 0;  // of the chunk
  bool done_ = false;
};

class DuckConnection final : public Connection {
 public:
  DuckConnection(std::shared_ptr<Instances> instances, std::shared_ptr<Watchdog> watchdog, std::string path)
      : instances_(std::move(instances)), watchdog_(std::move(watchdog)), path_(std::move(path)) {
    enter(instances_->open(path_, usual_zone), usual_zone);
  }
  ~DuckConnection() override {
    instance_->library().disconnect(&connection_);
  }

  ServerVersion version() override {
    std::string text = instance_->library().library_version();
    std::vector<int> numbers;
    for (std::size_t at = text.find_first_of("0123456789"); at < text.size();) {
      numbers.push_back(std::atoi(text.c_str() + at));
      at = text.find('.', at);
      if (at != std::string::npos) ++at;
    }
    return {"DuckDB", text, numbers};
  }

  std::vector<std::string> schemas() override {
    std::vector<std::string> names;
    each("SELECT DISTINCT schema_name FROM duckdb_columns() WHERE NOT internal AND database_name = current_database() ORDER BY 1",
         [&](const rows::Batch& batch, std::size_t row) { names.emplace_back(batch.columns[0].text(row)); });
    if (names.empty()) names.emplace_back("main");
    return names;
  }

  void describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) override {
    DescribedTable current;
    bool any = false;
    auto hand_over = [&] {
      if (any) table(std::move(current));
      current = {};
    };
    each(R"(SELECT c.schema_name, c.table_name, t.table_name IS NULL AS is_view, coalesce(t.comment, v.comment) AS table_comment,
                   t.estimated_size, c.column_name, c.data_type, c.is_nullable, c.column_default, c.comment,
                   coalesce(list_contains(k.constraint_column_names, c.column_name), false) AS is_key
            FROM duckdb_columns() AS c
            LEFT JOIN duckdb_tables() AS t ON t.table_oid = c.table_oid AND t.database_oid = c.database_oid AND t.schema_oid = c.schema_oid
            LEFT JOIN duckdb_views() AS v ON v.view_oid = c.table_oid AND v.database_oid = c.database_oid AND v.schema_oid = c.schema_oid
            LEFT JOIN duckdb_constraints() AS k ON k.table_oid = c.table_oid AND k.database_oid = c.database_oid
                 AND k.schema_oid = c.schema_oid AND k.constraint_type = 'PRIMARY KEY'
            WHERE NOT c.internal AND c.database_name = current_database()
            ORDER BY c.schema_name, c.table_name, c.column_index)",
         [&](const rows::Batch& batch, std::size_t row) {
           if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
           auto text = [&](std::size_t column) { return std::string(batch.columns[column].text(row)); };
           auto optional = [&](std::size_t column) { return batch.columns[column].is_null(row) ? std::nullopt : std::optional(text(column)); };
           if (!any || current.schema != text(0) || current.name != text(1)) {
             hand_over();
             any = true;
             current.schema = text(0);
             current.name = text(1);
             current.is_view = batch.columns[2].integer(row) != 0;
             current.comment = optional(3);
             if (!batch.columns[4].is_null(row)) current.estimated_rows = batch.columns[4].integer(row);
           }
           DescribedColumn column;
           column.name = text(5);
           column.database_type = text(6);
           column.base_type = base_type_of(column.database_type);
           column.position = static_cast<int>(current.columns.size());
           column.nullable = batch.columns[7].integer(row) != 0;
           column.default_value = optional(8);
           column.comment = optional(9);
           column.is_primary_key = batch.columns[10].integer(row) != 0;
           column.auto_increment = column.default_value && column.default_value->find("nextval(") != std::string::npos;
           column.required = !column.nullable && !column.default_value;
           current.columns.push_back(std::move(column));
         });
    hand_over();
  }

  std::vector<DescribedForeignKey> foreign_keys() override {
    std::vector<DescribedForeignKey> keys;
    each(R"(SELECT schema_name, table_name, constraint_column_names[1], referenced_table, referenced_column_names[1]
            FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()
              AND len(constraint_column_names) = 1 ORDER BY ALL)",
         [&](const rows::Batch& batch, std::size_t row) {
           auto text = [&](std::size_t column) { return std::string(batch.columns[column].text(row)); };
           keys.push_back({text(0), text(1), text(2), text(0), text(3), text(4)});
         });
    return keys;
  }

  std::unique_ptr<Cursor> execute(const sql::Statement& statement, const ExecuteOptions& options) override {
    const std::string& zone_name = options.time_zone.empty() ? usual_zone : options.time_zone;
    if (zone_name != time_zone_) enter(instances_->open(path_, zone_name), zone_name);
    auto& library = instance_->library();
    cancelled_ = late_ = false;
    allowed_ = options.deadline.value_or(std::chrono::milliseconds(0));
    duckdb_prepared_statement prepared = nullptr;
    duckdb_pending_result pending = nullptr;
    duckdb_result result{};
    running_ = true;
    if (options.deadline) {
      ticket_ = watchdog_->watch(Steady::now() + *options.deadline, [this] {
        late_ = true;
        instance_->library().interrupt(connection_);
      });
    }
    try {
      if (library.prepare(connection_, statement.text.c_str(), &prepared) != DuckDBSuccess) fail(library.prepare_error(prepared));
      auto type = library.prepared_statement_type(prepared);
      if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN && type != DUCKDB_STATEMENT_TYPE_RELATION)
        throw Failure(FailureKind::Database, "Questions can only read; write a SELECT.");
      if (library.nparams(prepared) > statement.values.size())
        throw Failure(FailureKind::Database, "The query has a parameter without a value.");
      for (std::size_t i = 0; i < std::min<std::size_t>(statement.values.size(), library.nparams(prepared)); ++i) bind(library, prepared, i + 1, statement.values[i]);
      if (library.pending_prepared_streaming(prepared, &pending) != DuckDBSuccess) fail(library.pending_error(pending));
      // The beginning statement forgot an interrupt that came before it; its tasks already run and only an interrupt ends them.
      if (cancelled_ || late_) library.interrupt(connection_);
      if (library.execute_pending(pending, &result) != DuckDBSuccess) {
        std::string words = library.result_error(&result) ? library.result_error(&result) : library.pending_error(pending);
        library.destroy_result(&result);
        fail(words.c_str());
      }
      library.destroy_pending(&pending);
      return std::make_unique<DuckCursor>(*this, prepared, result, TimeZone::find(zone_name));
    } catch (...) {
      library.destroy_pending(&pending);
      library.destroy_prepare(&prepared);
      ended();
      throw;
    }
  }

  void cancel() override {
    if (!running_) return;
    cancelled_ = true;
    instance_->library().interrupt(connection_);
  }
  bool is_alive() override { return true; }

 private:
  friend class DuckCursor;

  void enter(std::shared_ptr<Instance> instance, const std::string& time_zone) {
    auto connection = instance->connect();
    if (instance_) instance_->library().disconnect(&connection_);
    instance_ = std::move(instance);
    connection_ = connection;
    time_zone_ = time_zone;
  }
  void each(const std::string& sql, const std::function<void(const rows::Batch&, std::size_t)>& row) {
    ExecuteOptions options;
    options.time_zone = time_zone_;
    auto cursor = execute({sql, {}}, options);
    for (rows::Batch batch; cursor->next(batch);) {
      for (std::size_t i = 0; i < batch.rows(); ++i) row(batch, i);
    }
  }
  void ended() {
    if (ticket_) watchdog_->forget(std::exchange(ticket_, 0));
    running_ = false;
  }
  [[noreturn]] void fail(const char* words) {
    if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
    if (late_) {
      throw Failure(FailureKind::Timeout, "The query took longer than the " + std::to_string(std::max<std::int64_t>(1, allowed_.count() / 1000)) +
                                              " seconds it may take and was stopped.");
    }
    throw Failure(FailureKind::Database, words ? words : "DuckDB refused the query without a reason.");
  }
  static void bind(const Library& library, duckdb_prepared_statement prepared, std::size_t number, const sql::BoundValue& value) {
    auto text = [&](const std::string& v) { library.bind_varchar_length(prepared, number, v.data(), v.size()); };
    std::visit([&](auto& v) {
      using T = std::decay_t<decltype(v)>;
      if constexpr (std::is_same_v<T, sql::NullValue>) library.bind_null(prepared, number);
      else if constexpr (std::is_same_v<T, bool>) library.bind_boolean(prepared, number, v);
      else if constexpr (std::is_same_v<T, std::int64_t>) library.bind_int64(prepared, number, v);
      else if constexpr (std::is_same_v<T, double>) library.bind_double(prepared, number, v);
      else if constexpr (std::is_same_v<T, std::string>) text(v);
      else text(v.text);  // cast by the SQL around it
    }, value);
  }

  const std::shared_ptr<Instances> instances_;
  const std::shared_ptr<Watchdog> watchdog_;
  const std::string path_;
  std::shared_ptr<Instance> instance_;
  duckdb_connection connection_ = nullptr;
  std::string time_zone_;
  std::chrono::milliseconds allowed_{0};
  std::uint64_t ticket_ = 0;
  std::atomic<bool> running_ = false, cancelled_ = false, late_ = false;
};

DuckCursor::DuckCursor(DuckConnection& connection, duckdb_prepared_statement prepared, duckdb_result result, const TimeZone* zone)
    : connection_(connection), library_(connection.instance_->library()), prepared_(prepared), result_(result), zone_(zone) {
  for (idx_t i = 0; i < library_.column_count(&result_); ++i) {
    auto logical = library_.column_logical_type(&result_, i);
    auto& type = types_.emplace_back(Type::of(library_, logical));
    library_.destroy_logical_type(&logical);
    columns_.push_back({library_.column_name(&result_, i), type.kind(), type.name(), type.base_type()});
  }
}

DuckCursor::~DuckCursor() {
  if (!done_) connection_.cancel();
  finish();
}

void DuckCursor::finish() {
  if (!prepared_) return;
  if (chunk_) library_.destroy_data_chunk(&chunk_);
  library_.destroy_result(&result_);
  library_.destroy_prepare(&prepared_);
  prepared_ = nullptr;
  connection_.ended();
}

bool DuckCursor::next(rows::Batch& batch) {
  rows::prepare(batch, columns_);
  if (done_) return false;
  while (row_ == rows_) {
    if (chunk_) library_.destroy_data_chunk(&chunk_);
    chunk_ = library_.fetch_chunk(result_);
    row_ = 0;
    rows_ = chunk_ ? library_.data_chunk_get_size(chunk_) : 0;
    if (chunk_) continue;
    done_ = true;
    std::string words = library_.result_error(&result_) ? library_.result_error(&result_) : "";
    bool failed = !words.empty() || connection_.cancelled_ || connection_.late_;
    finish();
    if (failed) connection_.fail(words.c_str());
    return false;
  }
  // As many rows as a batch may have, by the size of their texts.
  std::vector<duckdb_vector> vectors;
  for (std::size_t i = 0; i < columns_.size(); ++i) vectors.push_back(library_.data_chunk_get_vector(chunk_, i));
  std::uint64_t to = row_;
  for (std::size_t bytes = 0; to < rows_ && to - row_ < rows::batch_rows && bytes < rows::batch_bytes; ++to) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto size = text_bytes(library_, types_[i], vectors[i], to);
      if (size > rows::value_limit) rows::refuse_giant_value(columns_[i].name, size);
      bytes += size + 8;
    }
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) append(library_, batch.columns[i], types_[i], vectors[i], row_, to, zone_);
  batch.row_count = to - row_;
  row_ = to;
  return true;
}

class DuckDb final : public Driver {
 public:
  explicit DuckDb(const DriverOptions& options) : instances_(std::make_shared<Instances>(options)), watchdog_(std::make_shared<Watchdog>()) {}
  std::string_view name() const override { return "duckdb"; }
  std::string_view display_name() const override { return "DuckDB and files"; }
  const sql::Dialect& dialect() const override { return sql::duckdb(); }
  std::vector<std::string> secret_details() const override { return {}; }
  std::vector<DetailField> detail_fields() const override {
    return {{.name = "database_file", .display_name = "File or folder", .required = true, .placeholder = "/srv/data/shop.duckdb",
             .helper_text = "A .duckdb file, a CSV, Parquet or JSON file, or a folder of such files: each becomes a table. "
                            "Everything is opened for reading only."}};
  }
  std::vector<std::string> features() const override {
    return {"advanced-math-expressions", "basic-aggregations", "binning", "case-sensitivity-string-filter-options", "convert-timezone",
            "date-arithmetics", "datetime-diff", "describe-fields", "describe-fks", "distinct-where", "expression-aggregations",
            "expression-literals", "expressions", "expressions/date", "expressions/datetime", "expressions/float", "expressions/integer",
            "expressions/text", "expressions/today", "fingerprint", "full-join", "identifiers-with-spaces", "inner-join", "left-join",
            "metadata/key-constraints", "native-parameter-card-reference", "native-parameters", "native-temporal-units", "nested-queries",
            "now", "parameterized-sql", "percentile-aggregations", "regex", "right-join", "schemas", "set-timezone", "split-part",
            "standard-deviation-aggregations", "temporal-extract", "uuid-type", "window-functions/cumulative", "window-functions/offset"};
  }
  std::unique_ptr<Connection> connect(const json::object& details) const override {
    for (auto key : {"database_file", "path"}) {
      auto* path = json::find(details, key);
      if (path && path->is_string() && !path->get_string().empty())
        return std::make_unique<DuckConnection>(instances_, watchdog_, std::string(path->get_string()));
    }
    throw bad_field("database_file", "Name a DuckDB file, a CSV, Parquet or JSON file, or a folder of such files.");
  }

 private:
  const std::shared_ptr<Instances> instances_;
  const std::shared_ptr<Watchdog> watchdog_;
};

}  // namespace

std::unique_ptr<Driver> make_duckdb(const DriverOptions& options) { return std::make_unique<DuckDb>(options); }

}  // namespace basalt::drivers
