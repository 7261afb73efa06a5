// What the pipeline's tests bring along: a catalogue over a SQLite file, rights as the test says, an answer kept in memory.
#pragma once
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/failure.h"
#include "drivers/driver.h"
#include "pipeline/compile_cache.h"
#include "pipeline/connection_lease.h"
#include "pipeline/run_query.h"

namespace basalt::pipeline::testing {

struct Shop {  // database 1: customer (table 1: fields 1 id, 2 name), sale (table 2: fields 3 id, 4 customer_id, 5 total, 6 at)
  Shop() {
    path = std::filesystem::temp_directory_path() / ("basalt_pipeline_test_" + std::to_string(::getpid()) + ".sqlite");
    std::filesystem::remove(path);
    sqlite3* database = nullptr;
    sqlite3_open(path.c_str(), &database);
    sqlite3_exec(database,
                 "CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customer VALUES (1, 'Ann'), (2, 'Bob, Jr.'), (3, NULL);"
                 "CREATE TABLE sale (id INTEGER PRIMARY KEY, customer_id INTEGER, total REAL, at TEXT);"
                 "INSERT INTO sale VALUES (1, 1, 10.5, '2024-05-17'), (2, 1, 2, '2024-05-18'), (3, 2, 7, '2024-06-01'), (9007199254740993, 2, 1, NULL)",
                 nullptr, nullptr, nullptr);
    sqlite3_close(database);
  }
  ~Shop() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

// What a sync would have found in the shop.
struct ShopTables {
  ShopTables() {
    auto field = [&](std::int64_t id, std::int64_t table, const char* name, const char* title, const char* type, const char* database_type) {
      query::Field f;
      f.id = FieldId(id);
      f.table = TableId(table);
      f.name = name;
      f.display_name = title;
      f.base_type = f.effective_type = type;
      f.database_type = database_type;
      f.position = static_cast<int>(id);
      if (std::string(name) == "id") f.semantic_type = "type/PK";
      fields[f.id] = f;
    };
    field(1, 1, "id", "ID", "type/Integer", "INTEGER");
    field(2, 1, "name", "Name", "type/Text", "TEXT");
    field(3, 2, "id", "ID", "type/Integer", "INTEGER");
    field(4, 2, "customer_id", "Customer ID", "type/Integer", "INTEGER");
    field(5, 2, "total", "Total", "type/Float", "REAL");
    field(6, 2, "at", "At", "type/Text", "TEXT");
    fields[FieldId(4)].fk_target = FieldId(1);
    fields[FieldId(4)].semantic_type = "type/FK";
    for (auto [id, name, title] : {std::tuple{1, "customer", "Customer"}, std::tuple{2, "sale", "Sale"}})
      tables[TableId(id)] = query::Table{TableId(id), DatabaseId(1), std::nullopt, name, title, true};
  }
  query::Database database{DatabaseId(1), "Shop", "sqlite", std::nullopt};
  std::map<TableId, query::Table> tables;
  std::map<FieldId, query::Field> fields;
};

class ShopCatalog final : public query::Catalog {
 public:
  explicit ShopCatalog(std::map<CardId, query::SourceCard>& cards, std::shared_ptr<const ShopTables> known = std::make_shared<ShopTables>())
      : known_(std::move(known)), cards_(cards) {}
  const query::Database* database(DatabaseId id) override { return id == DatabaseId(1) ? &known_->database : nullptr; }
  const query::Table* table(TableId id) override { return known_->tables.contains(id) ? &known_->tables.at(id) : nullptr; }
  const query::Field* field(FieldId id) override { return known_->fields.contains(id) ? &known_->fields.at(id) : nullptr; }
  std::vector<const query::Field*> fields_of(TableId id) override {
    std::vector<const query::Field*> found;
    for (auto& [key, field] : known_->fields) {
      if (field.table == id) found.push_back(&field);
    }
    return found;
  }
  const query::Field* primary_key(TableId id) override { return &known_->fields.at(FieldId(id == TableId(1) ? 1 : 3)); }
  const query::SourceCard* card(CardId id) override { return cards_.contains(id) ? &cards_.at(id) : nullptr; }
  std::optional<std::string> snippet(std::string_view) override { return std::nullopt; }
  std::shared_ptr<const void> state_of(DatabaseId) override { return known_; }
  std::shared_ptr<const void> state_of(TableId) override { return known_; }

 private:
  const std::shared_ptr<const ShopTables> known_;
  std::map<CardId, query::SourceCard>& cards_;
};

class Lease final : public ConnectionLease {
 public:
  Lease(const drivers::Driver& driver, const std::filesystem::path& path) : driver_(driver), connection_(driver.connect({{"db", path.string()}})) {}
  drivers::Connection& connection() override { return *connection_; }
  const drivers::Driver& driver() override { return driver_; }
  void mark_broken() override {}

 private:
  const drivers::Driver& driver_;
  std::unique_ptr<drivers::Connection> connection_;
};

class ShopEnvironment final : public Environment {
 public:
  std::unique_ptr<query::Catalog> catalog() override { return std::make_unique<ShopCatalog>(cards, tables); }
  CompileCache* compiled() override { return &cache; }
  Settings settings() override { return wanted; }
  std::shared_ptr<ConnectionLease> lease(DatabaseId, std::stop_token) override { return std::make_shared<Lease>(drivers.require("sqlite"), shop.path); }
  void record(const RunRecord& run) override { runs.push_back(run); }

  Shop shop;
  drivers::Drivers drivers{drivers::DriverOptions{std::filesystem::temp_directory_path(), 64}};
  std::map<CardId, query::SourceCard> cards;
  std::shared_ptr<const ShopTables> tables = std::make_shared<ShopTables>();
  CompileCache cache;
  Settings wanted;
  std::vector<RunRecord> runs;
};

class TestRights final : public permissions::Rights {
 public:
  PersonId person() const override { return PersonId(1); }
  bool is_administrator() const override { return false; }
  permissions::CollectionRight collection(std::optional<CollectionId> id) const override {
    return id && closed_collections.contains(*id) ? permissions::CollectionRight::None : permissions::CollectionRight::View;
  }
  permissions::DataRight table(DatabaseId, const std::optional<std::string>&, TableId table) const override {
    return closed_tables.contains(table) ? permissions::DataRight::None : data;
  }
  permissions::DataRight whole_database(DatabaseId) const override { return closed_tables.empty() ? data : permissions::DataRight::None; }
  bool any_table(DatabaseId) const override { return data != permissions::DataRight::None; }

  permissions::DataRight data = permissions::DataRight::BuilderAndSql;
  std::set<TableId> closed_tables;
  std::set<CollectionId> closed_collections;
};

class Kept final : public http::ResponseStream {
 public:
  void start(int code, std::vector<std::pair<std::string, std::string>> given) override { status = code; headers = std::move(given); }
  void write(std::string_view bytes) override { body += bytes; ++writes; }
  json::value json() const { return json::parse(body); }
  std::string header(const std::string& name) const {
    for (auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "";
  }

  int status = 0, writes = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

}  // namespace basalt::pipeline::testing
