#include "features/search/search.h"

#include "features/content/test_content.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using permissions::CollectionRight;

TEST(MatchScore, RanksExactBeforePrefixBeforeWordBeforeRest) {
  auto score = [](std::vector<std::string> words, const char* text, const char* name, const char* description = "") { return match_score(words, text, name, description); };
  auto exact = score({"orders"}, "orders", "orders"), prefix = score({"orders"}, "orders", "orders by month"), word = score({"orders"}, "orders", "all orders"),
       inside = score({"orders"}, "orders", "reorders"), described = score({"orders"}, "orders", "sales", "about orders");
  EXPECT_GT(exact, prefix);
  EXPECT_GT(prefix, word);
  EXPECT_GT(word, inside);
  EXPECT_GT(inside, described);
  EXPECT_GT(described, 0);
  EXPECT_EQ(score({"orders", "2024"}, "orders 2024", "orders", ""), 0) << "every word must be somewhere";
  EXPECT_GT(score({"orders", "2024"}, "orders 2024", "orders", "in 2024"), 0);
}

class SearchTest : public ContentTest {
 protected:
  json::object find(const SearchRequest& wanted, const permissions::Rights& rights) {
    return read([&](Connection& c) { return search(c, rights, wanted, now); });
  }
  std::vector<std::string> names(const json::object& result) {
    std::vector<std::string> out;
    for (auto& one : result.at("data").as_array()) out.push_back(*json::text(one, "name"));
    return out;
  }
  SearchRequest text(const char* q) {
    SearchRequest wanted;
    wanted.text = q;
    return wanted;
  }
};

TEST_P(SearchTest, FindsByWordsWhateverTheirCase) {
  add_card("Orders by month");
  add_card("Monthly ORDERS");
  add_card("Ärger mit Straßen");
  TestRights rights(ada);
  EXPECT_EQ(names(find(text("orders"), rights)), (std::vector<std::string>{"Orders by month", "Monthly ORDERS"}));
  EXPECT_EQ(names(find(text("month orders"), rights)).size(), 2u);
  EXPECT_EQ(names(find(text("ärger"), rights)), std::vector<std::string>{"Ärger mit Straßen"});
  EXPECT_TRUE(names(find(text("100%"), rights)).empty());
}

TEST_P(SearchTest, ShowsNobodyWhatTheyMayNotSeeNotEvenInTheTotal) {
  auto secret = add_collection("Secret plans");
  add_card("secret orders", secret);
  add_card("open orders");
  TestRights rights(bob);
  rights.collections = {{secret.value, CollectionRight::None}};
  rights.data = permissions::DataRight::None;
  auto result = find(text(""), rights);
  EXPECT_EQ(names(result), std::vector<std::string>{"open orders"});
  EXPECT_EQ(result["total"], json::value(1));
  EXPECT_EQ(json::write(result["models"]), R"(["card"])");
}

TEST_P(SearchTest, PagesAndCounts) {
  for (int i = 0; i < 700; ++i) add_card("card " + std::to_string(1000 + i));
  SearchRequest wanted = text("card");
  wanted.limit = 10;
  wanted.offset = 20;
  auto result = find(wanted, TestRights(ada));
  EXPECT_EQ(result["total"], json::value(700));
  EXPECT_EQ(names(result).front(), "card 1020");
  EXPECT_EQ(names(result).size(), 10u);
}

TEST_P(SearchTest, FiltersByModelAndSaysWhichThereAre) {
  add_card("orders");
  add_card("orders model", {}, "model");
  add_collection("orders folder");
  SearchRequest wanted = text("orders");
  wanted.models = {"dataset"};
  wanted.available_models = true;
  auto result = find(wanted, TestRights(ada));
  EXPECT_EQ(names(result), std::vector<std::string>{"orders model"});
  EXPECT_EQ(json::write(result["available_models"]), R"(["card","dataset","collection"])");
}

INSTANTIATE_TEST_SUITE_P(Engines, SearchTest, testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres), engine_name);

}  // namespace
}  // namespace basalt::features
