// libduckdb, loaded when first used so that an idle server stays small. Only the functions named here are called.
#pragma once
#include <duckdb.h>

namespace basalt::drivers::duckdb {

#define BASALT_DUCKDB_FUNCTIONS(X)                                                                                              \
  X(create_config) X(set_config) X(destroy_config) X(open_ext) X(close) X(connect) X(disconnect) X(interrupt) X(query)           \
  X(destroy_result) X(result_error) X(result_error_type) X(column_count) X(column_name) X(column_logical_type) X(fetch_chunk)   \
  X(prepare) X(prepare_error) X(destroy_prepare) X(prepared_statement_type) X(nparams) X(bind_null) X(bind_boolean)             \
  X(bind_int64) X(bind_double) X(bind_varchar_length) X(pending_prepared_streaming) X(pending_error) X(destroy_pending)         \
  X(execute_pending) X(library_version) X(free) X(data_chunk_get_size) X(data_chunk_get_vector) X(destroy_data_chunk)           \
  X(vector_get_data) X(vector_get_validity) X(list_vector_get_child) X(array_vector_get_child) X(struct_vector_get_child)       \
  X(get_type_id) X(destroy_logical_type) X(decimal_scale) X(decimal_internal_type) X(decimal_width) X(enum_internal_type)       \
  X(enum_dictionary_size) X(enum_dictionary_value) X(list_type_child_type) X(array_type_child_type) X(array_type_array_size)    \
  X(struct_type_child_count) X(struct_type_child_name) X(struct_type_child_type) X(map_type_key_type) X(map_type_value_type)  \
  X(logical_type_get_alias)

struct Library {
#define BASALT_DUCKDB_MEMBER(name) decltype(&duckdb_##name) name = nullptr;
  BASALT_DUCKDB_FUNCTIONS(BASALT_DUCKDB_MEMBER)
#undef BASALT_DUCKDB_MEMBER
};

// Loads the library once. Looked for at $BASALT_DUCKDB_LIBRARY, in lib beside the program, beside it, in ../lib/basalt, where the build found it.
// Throws Failure Unavailable with a sentence naming these places.
const Library& library();

}  // namespace basalt::drivers::duckdb
