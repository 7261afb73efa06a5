// Data out there was made by exactly these operations; see released.json.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "migrations/all.h"

namespace basalt::migrations {
namespace {

json::value manifest() {
  std::ifstream in(BASALT_SOURCE_DIR "/src/migrations/released.json");
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

// Sentences about what is not as it was released; empty when all is.
std::vector<std::string> differences(const std::vector<Migration>& known, const json::value& released) {
  std::vector<std::string> out;
  std::map<std::int64_t, const json::value*> listed;
  for (auto& entry : released.at("migrations").as_array()) listed[entry.at("number").as_int64()] = &entry;
  Structure s;
  for (auto& migration : known) {
    std::vector<Operation> prepared;
    for (auto& raw : migration.operations) {
      prepared.push_back(prepare(raw, s));
      apply_to(s, prepared.back(), migration.number, static_cast<int>(prepared.size()) - 1);
    }
    auto is = checksum(operations_text(prepared));
    auto label = "Migration " + std::to_string(migration.number) + " (" + migration.name + ")";
    auto found = listed.find(migration.number);
    if (found == listed.end()) {
      out.push_back(label + " is not in released.json; list it as not released, its checksum is " + is + ".");
      continue;
    }
    auto& entry = *found->second;
    if (entry.at("name").as_string() != migration.name) out.push_back(label + " has another name in released.json.");
    if (entry.at("released").as_bool() && entry.at("checksum").as_string() != is)
      out.push_back(label + " is released and must not change: its checksum is " + is + ", released was " + std::string(entry.at("checksum").as_string()) + ". Write a new migration instead.");
    listed.erase(found);
  }
  for (auto& [number, entry] : listed) out.push_back("Migration " + std::to_string(number) + " is in released.json and nowhere else.");
  return out;
}

TEST(Released, migrations_are_as_they_were_released) { EXPECT_EQ(differences(all(), manifest()), std::vector<std::string>{}); }

TEST(Released, a_change_a_new_one_and_a_missing_one_are_noticed) {
  auto known = all();
  std::vector<Operation> prepared;
  Structure s;
  for (auto& raw : known[0].operations) {
    prepared.push_back(prepare(raw, s));
    apply_to(s, prepared.back(), 1, static_cast<int>(prepared.size()) - 1);
  }
  auto entry = [&](int number, const std::string& sum) { return json::object{{"number", number}, {"name", "first_schema"}, {"released", true}, {"checksum", sum}}; };
  auto good = checksum(operations_text(prepared));
  EXPECT_EQ(differences(known, json::object{{"migrations", json::array{entry(1, good)}}}).size(), 0u);
  EXPECT_EQ(differences(known, json::object{{"migrations", json::array{entry(1, good), entry(2, good)}}}).size(), 1u);
  EXPECT_EQ(differences(known, json::object{{"migrations", json::array{}}}).size(), 1u);
  known[0].operations.pop_back();
  EXPECT_EQ(differences(known, json::object{{"migrations", json::array{entry(1, good)}}}).size(), 1u);
}

}  // namespace
}  // namespace basalt::migrations
