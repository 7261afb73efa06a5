export function UpdatesPage() {
  return null;
}
