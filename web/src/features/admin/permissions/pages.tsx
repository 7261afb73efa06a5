export function DataPermissionsPage() {
  return null;
}
export function CollectionPermissionsPage() {
  return null;
}
