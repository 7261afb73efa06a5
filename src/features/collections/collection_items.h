// What lies in a collection, in the root or in the trash: one statement, paged, whatever the kinds.
#pragma once
#include "features/collections/collections.h"

namespace basalt::features {

struct ItemsRequest {
  enum class Place { Collection, Trash };
  Place place = Place::Collection;
  std::optional<CollectionId> collection;              // absent with Place::Collection: the root
  std::vector<std::string> models;                     // empty: all kinds
  bool archived = false;
  std::optional<bool> pinned;                          // absent: both
  std::optional<std::string> name_space;               // "snippets": snippets and their folders
  bool dashboard_questions = false;
  std::string sort_column = "name", sort_direction = "asc";
  std::optional<std::int64_t> limit, offset;

  // Reads the query of the request; BadRequest at the wrong one.
  static ItemsRequest from(const http::Request& request);
};

// {data, total, limit, offset, models}. The caller has asked for the right to view the collection.
json::object collection_items(appdb::Connection& connection, const permissions::Rights& rights, const ItemsRequest& wanted);

// By collection id (0: the root): which kinds lie directly in it, as the tree's `here` says.
std::map<std::int64_t, std::set<std::string>> kinds_by_collection(appdb::Connection& connection);

}  // namespace basalt::features
