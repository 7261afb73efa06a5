// The sample database: an invented shop for home goods, the same every time it is made.
#pragma once
#include <string>
#include <vector>

namespace basalt::features {

struct SampleTable {
  std::string name;          // "ORDERS"
  std::string create_sql;    // DuckDB's CREATE TABLE with keys and comments on columns
  std::vector<std::string> column_names;
  std::string csv;           // RFC 4180 without header; an empty field is NULL
  std::size_t rows = 0;
};

// PRODUCTS (200), PEOPLE (2,500), ORDERS (about 19,000), REVIEWS (about 1,100), in an order that satisfies their keys.
// Orders run from January 2023 to 21 November 2026 with growth, seasons, weekends, one bad month (June 2025) and nulls where
// real data has them.
std::vector<SampleTable> make_sample_data();

}  // namespace basalt::features
