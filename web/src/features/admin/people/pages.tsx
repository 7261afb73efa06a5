export function PeoplePage() {
  return null;
}
export function GroupsPage() {
  return null;
}
