// Search over names and descriptions, filtered by rights, ranked and paged.
#pragma once
#include "features/collections/collections.h"

namespace basalt::features {

struct SearchRequest {
  std::string text;                                    // empty: everything
  std::set<std::string> models;                        // empty: all
  bool archived = false, native_queries = false, available_models = false;
  std::optional<std::int64_t> database, collection;
  std::set<std::int64_t> created_by, edited_by, ids;   // empty: anyone, any
  std::set<std::string> displays;
  enum class Personal { All, Only, OnlyMine, Exclude, ExcludeOthers } personal = Personal::All;
  std::optional<Timestamp> created_from, created_to, edited_from, edited_to;
  std::size_t limit = 50, offset = 0;
  static SearchRequest from(const http::Request& request);
};

// The envelope of GET /api/search.
json::object search(appdb::Connection& connection, const permissions::Rights& rights, const SearchRequest& wanted, Timestamp now);

// How well a name fits, 0 (not at all) to 100; all words of `text` must be in name or description. Both in lower case.
double match_score(const std::vector<std::string>& words, std::string_view text, std::string_view name, std::string_view description);

}  // namespace basalt::features
