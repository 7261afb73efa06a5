export function DatabaseListPage() {
  return null;
}
export function DatabaseCreatePage() {
  return null;
}
export function DatabaseEditPage() {
  return null;
}
