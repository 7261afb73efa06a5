import { catalogOf } from "./columns";
import type { FieldMeta, Query, TableMeta } from "./types";
import { tableQuery } from "./read";

/** A small shop for tests: orders with keys to people and products, and a saved question. */
const field = (id: number, name: string, base_type: string, more: Partial<FieldMeta> = {}): FieldMeta => ({
  id, name, display_name: name.split("_").map((word) => (word === "ID" ? "ID" : word[0] + word.slice(1).toLowerCase())).join(" "), base_type, ...more,
});
const numbers = (min: number, max: number) => ({ type: { "type/Number": { min, max } } });
export const ORDERS = { ID: 1, USER: 2, PRODUCT: 3, TOTAL: 4, CREATED: 5, QUANTITY: 6 };
export const PRODUCTS = { ID: 11, CATEGORY: 12, PRICE: 13, CREATED: 14, TITLE: 15 };
export const PEOPLE = { ID: 21, STATE: 22, NAME: 23, ACTIVE: 24 };
const products: TableMeta = {
  id: 2, db_id: 1, display_name: "Products", schema: "shop",
  fields: [
    field(11, "ID", "type/BigInteger", { semantic_type: "type/PK" }), field(15, "TITLE", "type/Text", { semantic_type: "type/Title" }),
    field(12, "CATEGORY", "type/Text", { semantic_type: "type/Category", has_field_values: "list" }),
    field(13, "PRICE", "type/Float", { fingerprint: numbers(10, 100) }), field(14, "CREATED_AT", "type/DateTime"),
  ],
};
const people: TableMeta = {
  id: 3, db_id: 1, display_name: "People", schema: "shop",
  fields: [
    field(21, "ID", "type/BigInteger", { semantic_type: "type/PK" }), field(22, "STATE", "type/Text", { semantic_type: "type/State", has_field_values: "list" }),
    field(23, "NAME", "type/Text", { semantic_type: "type/Name" }), field(24, "ACTIVE", "type/Boolean"),
  ],
};
const orders: TableMeta = {
  id: 1, db_id: 1, display_name: "Orders", schema: "shop", segments: [{ id: 7, name: "Big orders" }],
  fields: [
    field(1, "ID", "type/BigInteger", { semantic_type: "type/PK" }),
    field(2, "USER_ID", "type/Integer", { semantic_type: "type/FK", fk_target_field_id: 21, target: { ...people.fields![0]!, table_id: 3 } }),
    field(3, "PRODUCT_ID", "type/Integer", { semantic_type: "type/FK", fk_target_field_id: 11, target: { ...products.fields![0]!, table_id: 2 } }),
    field(4, "TOTAL", "type/Float", { fingerprint: numbers(1, 160) }),
    field(5, "CREATED_AT", "type/DateTime", { fingerprint: { type: { "type/DateTime": { earliest: "2024-01-01T00:00:00Z", latest: "2026-11-01T00:00:00Z" } } } }),
    field(6, "QUANTITY", "type/Integer", { fingerprint: numbers(0, 100) }),
  ],
};
const saved: TableMeta = {
  id: "card__42", db_id: 1, display_name: "Monthly orders",
  fields: [
    { id: 5, name: "CREATED_AT", display_name: "Created At: Month", base_type: "type/DateTime", unit: "month" },
    { name: "count", display_name: "Count", base_type: "type/BigInteger", semantic_type: "type/Quantity" },
  ],
};
export const shop = catalogOf([orders, products, people, saved]);
export const shopTables = [orders, products, people, saved];
export const ordersQuery = (): Query => tableQuery(1, 1);
