// Ids are types: a CardId is never passed where a DashboardId is meant.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace basalt {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  constexpr Id() = default;
  constexpr explicit Id(std::int64_t v) : value(v) {}
  auto operator<=>(const Id&) const = default;
};

using PersonId = Id<struct PersonTag>;
using GroupId = Id<struct GroupTag>;
using ApiKeyId = Id<struct ApiKeyTag>;
using DatabaseId = Id<struct DatabaseTag>;
using TableId = Id<struct TableTag>;
using FieldId = Id<struct FieldTag>;
using CollectionId = Id<struct CollectionTag>;  // the root collection has no row: std::nullopt stands for it
using CardId = Id<struct CardTag>;
using DashboardId = Id<struct DashboardTag>;
using DashboardTabId = Id<struct DashboardTabTag>;
using DashcardId = Id<struct DashcardTag>;
using RevisionId = Id<struct RevisionTag>;

}  // namespace basalt

template <class Tag>
struct std::hash<basalt::Id<Tag>> {
  std::size_t operator()(const basalt::Id<Tag>& id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
