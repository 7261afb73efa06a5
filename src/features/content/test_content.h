// A fresh application database with two people, and rights to choose, for the tests of what people make. Header only.
#pragma once
#include <gtest/gtest.h>

#include "base/random.h"
#include "features/collections/collections.h"
#include "upgrade/test_upgrades.h"

namespace basalt::features {

// Rights as a test sets them: everything by default, less where `collections` says so.
class TestRights final : public permissions::Rights {
 public:
  explicit TestRights(PersonId person, permissions::CollectionRight otherwise = permissions::CollectionRight::Curate) : otherwise_(otherwise), person_(person) {}
  PersonId person() const override { return person_; }
  bool is_administrator() const override { return administrator; }
  permissions::CollectionRight collection(std::optional<CollectionId> id) const override {
    auto found = collections.find(id ? id->value : 0);
    return found == collections.end() ? otherwise_ : found->second;
  }
  permissions::DataRight table(DatabaseId, const std::optional<std::string>&, TableId) const override { return data; }
  permissions::DataRight whole_database(DatabaseId) const override { return data; }
  bool any_table(DatabaseId) const override { return data != permissions::DataRight::None; }

  std::map<std::int64_t, permissions::CollectionRight> collections;   // 0: the root
  permissions::DataRight data = permissions::DataRight::BuilderAndSql;
  bool administrator = false;

 private:
  permissions::CollectionRight otherwise_;
  PersonId person_;
};

class ContentTest : public testing::TestWithParam<appdb::Engine> {
 protected:
  void SetUp() override {
    if (auto reason = appdb::TestStores::missing(GetParam())) GTEST_SKIP() << *reason;
    stores = std::make_unique<appdb::TestStores>(GetParam());
    store = upgrade::open_fresh(*stores);
    store->write([&](appdb::Connection& c) {
      ada = add_person(c, "Ada", "Lovelace");
      bob = add_person(c, "Bob", "Stone");
      database = DatabaseId(c.insert("database", {{"name", "Shop"}, {"engine", "sqlite"}, {"details", "{}"}, {"is_sample", false}, {"is_full_sync", true}, {"is_on_demand", false},
          {"auto_run_queries", true}, {"metadata_sync_schedule", "0 50 * * * ? *"}, {"cache_field_values_schedule", "0 0 3 * * ? *"}, {"initial_sync_status", "complete"},
          {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    });
  }
  PersonId add_person(appdb::Connection& c, const char* first, const char* last) {
    return PersonId(c.insert("person", {{"email", lower_ascii(first) + "@example.com"}, {"first_name", first}, {"last_name", last}, {"is_administrator", false}, {"is_active", true},
        {"kind", "personal"}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
  }
  CollectionId add_collection(const std::string& name, std::optional<CollectionId> parent = {}) {
    return store->write([&](appdb::Connection& c) {
      NewCollection wanted;
      wanted.name = name;
      if (parent) wanted.parent_id = {true, json::value(parent->value)};
      return create_collection(c, TestRights(ada), wanted, now);
    });
  }
  CardId add_card(const std::string& name, std::optional<CollectionId> collection = {}, const std::string& kind = "question") {
    return store->write([&](appdb::Connection& c) {
      return CardId(c.insert("card", {{"name", name}, {"kind", kind}, {"display", "table"}, {"dataset_query", json::object{{"database", database.value}, {"type", "native"}, {"native", json::object{{"query", "SELECT 1"}}}}},
          {"query_type", "native"}, {"database_id", database}, {"visualization_settings", json::object()}, {"parameters", json::array()}, {"parameter_mappings", json::array()},
          {"collection_id", collection}, {"collection_preview", true}, {"archived", false}, {"archived_directly", false}, {"enable_embedding", false}, {"creator_id", ada},
          {"last_editor_id", ada}, {"last_edited_at", now}, {"view_count", 0}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    });
  }
  template <class Work>
  auto read(Work&& work) { return store->read(std::forward<Work>(work)); }
  template <class Work>
  auto write(Work&& work) { return store->write(std::forward<Work>(work)); }

  // What kind of failure `work` ends with; absent when it goes well.
  template <class Work>
  static std::optional<FailureKind> failure_of(Work&& work) {
    try {
      work();
    } catch (const Failure& failure) {
      return failure.kind();
    }
    return std::nullopt;
  }

  std::unique_ptr<appdb::TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  Timestamp now = *parse_timestamp("2026-03-01T12:00:00Z");
  PersonId ada, bob;
  DatabaseId database;
};

inline std::string engine_name(const testing::TestParamInfo<appdb::Engine>& info) { return info.param == appdb::Engine::Sqlite ? "Sqlite" : "Postgres"; }

}  // namespace basalt::features
