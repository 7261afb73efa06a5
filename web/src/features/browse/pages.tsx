export function DatabasesPage() {
  return null;
}
export function DatabasePage() {
  return null;
}
export function SchemaPage() {
  return null;
}
export function ModelsPage() {
  return null;
}
export function MetricsPage() {
  return null;
}
