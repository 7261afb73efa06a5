#include "features/sample/sample_data.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace basalt::features {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine, which std:: distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  int below(int n) { return static_cast<int>(unit() * n); }
  double between(double low, double high) { return low + unit() * (high - low); }
  bool chance(double p) { return unit() < p; }
  // About normal: the sum of twelve uniforms.
  double normal() { double sum = 0; for (int i = 0; i < 12; ++i) sum += unit(); return sum - 6; }
  template <class T, std::size_t N>
  const T& pick(const std::array<T, N>& items) { return items[static_cast<std::size_t>(below(static_cast<int>(N)))]; }

 private:
  std::uint64_t state_;
};

struct City { std::string_view name, state; double latitude, longitude, weight, tax; int zip; };
constexpr std::array<City, 62> cities{{
    {"Los Angeles", "CA", 34.052, -118.244, 9, .0725, 90001}, {"San Francisco", "CA", 37.775, -122.419, 7, .0725, 94102}, {"San Diego", "CA", 32.716, -117.161, 4, .0725, 92101},
    {"Sacramento", "CA", 38.582, -121.494, 2, .0725, 95814}, {"New York", "NY", 40.713, -74.006, 9, .04, 10001}, {"Buffalo", "NY", 42.886, -78.878, 2, .04, 14201},
    {"Rochester", "NY", 43.157, -77.608, 1.5, .04, 14604}, {"Houston", "TX", 29.760, -95.370, 5, .0625, 77002}, {"Austin", "TX", 30.267, -97.743, 5, .0625, 78701},
    {"Dallas", "TX", 32.777, -96.797, 4, .0625, 75201}, {"Miami", "FL", 25.762, -80.192, 4, .06, 33101}, {"Orlando", "FL", 28.538, -81.379, 3, .06, 32801}, {"Tampa", "FL", 27.951, -82.457, 2.5, .06, 33602},
    {"Chicago", "IL", 41.878, -87.630, 6, .0625, 60601}, {"Springfield", "IL", 39.782, -89.650, 1, .0625, 62701}, {"Philadelphia", "PA", 39.953, -75.165, 3.5, .06, 19102}, {"Pittsburgh", "PA", 40.441, -79.996, 2.5, .06, 15222},
    {"Columbus", "OH", 39.961, -82.999, 2.5, .0575, 43215}, {"Cleveland", "OH", 41.499, -81.694, 2, .0575, 44113}, {"Atlanta", "GA", 33.749, -84.388, 4, .04, 30303}, {"Savannah", "GA", 32.081, -81.091, 1, .04, 31401},
    {"Charlotte", "NC", 35.227, -80.843, 2.5, .0475, 28202}, {"Raleigh", "NC", 35.780, -78.639, 2, .0475, 27601}, {"Detroit", "MI", 42.331, -83.046, 2.5, .06, 48226}, {"Grand Rapids", "MI", 42.963, -85.668, 1.5, .06, 49503},
    {"Newark", "NJ", 40.736, -74.172, 2.5, .06625, 7102}, {"Princeton", "NJ", 40.357, -74.667, 1.5, .06625, 8540}, {"Richmond", "VA", 37.541, -77.436, 2, .053, 23219}, {"Arlington", "VA", 38.880, -77.107, 2, .053, 22201},
    {"Seattle", "WA", 47.606, -122.332, 5, .065, 98101}, {"Spokane", "WA", 47.659, -117.426, 1, .065, 99201}, {"Boston", "MA", 42.360, -71.059, 4.5, .0625, 2108}, {"Worcester", "MA", 42.263, -71.802, 1, .0625, 1608},
    {"Phoenix", "AZ", 33.448, -112.074, 3, .056, 85004}, {"Nashville", "TN", 36.163, -86.781, 2.5, .07, 37203}, {"Indianapolis", "IN", 39.768, -86.158, 2, .07, 46204}, {"St. Louis", "MO", 38.627, -90.199, 2, .04225, 63101},
    {"Baltimore", "MD", 39.290, -76.612, 2, .06, 21201}, {"Milwaukee", "WI", 43.039, -87.907, 1.8, .05, 53202}, {"Madison", "WI", 43.073, -89.401, 1.5, .05, 53703}, {"Denver", "CO", 39.739, -104.990, 3.5, .029, 80202},
    {"Boulder", "CO", 40.015, -105.271, 1.5, .029, 80302}, {"Minneapolis", "MN", 44.978, -93.265, 3, .06875, 55401}, {"Charleston", "SC", 32.777, -79.931, 1.3, .06, 29401}, {"Birmingham", "AL", 33.519, -86.810, 1, .04, 35203},
    {"New Orleans", "LA", 29.951, -90.072, 1.3, .0445, 70112}, {"Louisville", "KY", 38.253, -85.758, 1.2, .06, 40202}, {"Portland", "OR", 45.515, -122.678, 3.2, 0, 97204}, {"Oklahoma City", "OK", 35.468, -97.516, 1, .045, 73102},
    {"Hartford", "CT", 41.766, -72.673, 1.3, .0635, 6103}, {"Des Moines", "IA", 41.587, -93.625, .9, .06, 50309}, {"Salt Lake City", "UT", 40.761, -111.891, 1.5, .0485, 84101}, {"Las Vegas", "NV", 36.170, -115.140, 1.5, .0685, 89101},
    {"Little Rock", "AR", 34.746, -92.290, .6, .065, 72201}, {"Wichita", "KS", 37.688, -97.336, .6, .065, 67202}, {"Albuquerque", "NM", 35.084, -106.650, .8, .05125, 87102}, {"Omaha", "NE", 41.257, -95.935, .7, .055, 68102},
    {"Boise", "ID", 43.615, -116.202, .8, .06, 83702}, {"Portland", "ME", 43.659, -70.257, .8, .055, 4101}, {"Burlington", "VT", 44.476, -73.212, .5, .06, 5401}, {"Honolulu", "HI", 21.307, -157.858, .7, .04, 96813},
    {"Anchorage", "AK", 61.218, -149.900, .3, 0, 99501}}};

constexpr std::array<std::string_view, 64> first_names{"Ada", "Adrian", "Aisha", "Alice", "Amara", "Anders", "Anna", "Arjun", "Beatriz", "Ben", "Bianca", "Caleb", "Carmen", "Chidi", "Clara", "Daniel",
    "Diana", "Dmitri", "Elena", "Eli", "Emeka", "Emma", "Esther", "Farah", "Felix", "Fiona", "Gabriel", "Grace", "Hana", "Hector", "Ibrahim", "Ines", "Isaac", "Ivy", "Jamal", "Jane", "Jonas", "Julia",
    "Kai", "Kenji", "Lara", "Leila", "Leo", "Lin", "Lucas", "Maya", "Mei", "Miguel", "Mira", "Nadia", "Noah", "Nora", "Olga", "Omar", "Owen", "Paula", "Priya", "Quinn", "Rosa", "Samir", "Sofia", "Tara", "Theo", "Yara"};
constexpr std::array<std::string_view, 64> last_names{"Abbott", "Adeyemi", "Alvarez", "Andersen", "Bailey", "Banerjee", "Becker", "Bennett", "Brooks", "Carter", "Castillo", "Chen", "Cohen", "Cooper", "Costa", "Diaz",
    "Dubois", "Ellis", "Eriksen", "Evans", "Farouk", "Fischer", "Foster", "Garcia", "Gupta", "Haddad", "Hansen", "Harris", "Hayes", "Ito", "Jensen", "Johnson", "Kaur", "Khan", "Kim", "Kowalski", "Kumar", "Larsen",
    "Lee", "Lopez", "Marino", "Martin", "Mbeki", "Meyer", "Morgan", "Nakamura", "Nguyen", "Novak", "Okafor", "Olsen", "Park", "Patel", "Pereira", "Reed", "Rivera", "Rossi", "Sato", "Schmidt", "Silva", "Singh",
    "Tanaka", "Walsh", "Weber", "Wright"};
constexpr std::array<std::string_view, 40> streets{"Alder", "Birch", "Canal", "Cedar", "Chestnut", "Church", "Cliff", "Clover", "Dogwood", "Elm", "Fern", "Garden", "Grove", "Harbor", "Hazel", "Hickory", "Hill", "Juniper",
    "Lake", "Laurel", "Linden", "Maple", "Meadow", "Mill", "Oak", "Orchard", "Park", "Pine", "Poplar", "Prospect", "Quarry", "Ridge", "River", "Spring", "Spruce", "Summit", "Sycamore", "Valley", "Walnut", "Willow"};
constexpr std::array<std::string_view, 12> vendors{"Fernhill Works", "Harbour & Oak", "Juniper Mill", "Kestrel Home", "Lantern Lane", "Marlow Brothers", "North Quay", "Orchard Street", "Pebble & Pine", "Quarry House", "Saltbox Goods", "Tamarack Co."};

struct Category { std::string_view name; double low, high; std::array<std::string_view, 10> things; };
constexpr std::array<Category, 5> categories{{
    {"Furniture", 90, 480, {"side table", "bookcase", "dining chair", "bench", "coat stand", "desk", "stool", "cabinet", "shelf", "armchair"}},
    {"Lighting", 35, 220, {"floor lamp", "pendant light", "table lamp", "wall light", "reading lamp", "lantern", "string lights", "desk lamp", "ceiling light", "night light"}},
    {"Kitchen", 14, 160, {"casserole", "chopping board", "teapot", "mixing bowl", "frying pan", "knife set", "salt mill", "storage jar", "kettle", "platter"}},
    {"Textiles", 18, 140, {"throw", "cushion", "rug", "curtain", "bath towel", "bed linen", "blanket", "tablecloth", "apron", "door mat"}},
    {"Garden", 12, 190, {"planter", "watering can", "bird bath", "trellis", "fire bowl", "hammock", "garden bench", "lantern post", "herb box", "hose reel"}}}};
constexpr std::array<std::string_view, 20> adjectives{"Alder", "Marlow", "Juniper", "Harbour", "Terrace", "Linden", "Cast-iron", "Oak", "Linen", "Copper", "Willow", "Slate", "Walnut", "Woven", "Stoneware", "Brass", "Ash", "Cotton", "Birch", "Enamel"};
constexpr std::array<std::string_view, 6> sources{"Organic", "Search", "Newsletter", "Social", "Affiliate", "Partner"};

std::string quoted(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (char c : text) { if (c == '"') out += '"'; out += c; }
  return out + "\"";
}

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char buffer[160];
  auto length = std::snprintf(buffer, sizeof buffer, pattern, args...);
  return std::string(buffer, static_cast<std::size_t>(length));
}

std::string date_text(sys_days day) {
  year_month_day date{day};
  return format("%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

// A moment of that day: people shop in the evening and around noon.
std::string moment_text(sys_days day, Dice& dice) {
  double hour = dice.chance(.6) ? 19 + dice.normal() * 2.2 : 12.5 + dice.normal() * 2.5;
  int seconds = static_cast<int>(std::clamp(hour, 0.0, 23.99) * 3600) + dice.below(60);
  seconds = std::clamp(seconds, 0, 86399);
  return date_text(day) + format(" %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

double cents(double amount) { return std::round(amount * 100) / 100; }

constexpr sys_days first_day{std::chrono::year{2023} / 1 / 1};
constexpr sys_days last_day{std::chrono::year{2026} / 11 / 21};

struct Product { std::string title, vendor; int category; double price, popularity, rating; sys_days since; };
struct Person { std::size_t city; sys_days since; double activity; };

// How much of a category sells in a month, 1 being an average month.
double season(int category, unsigned month) {
  static constexpr double factors[5][12] = {
      {1.05, .95, .95, 1.0, .95, .9, .85, .95, 1.1, 1.1, 1.1, 1.1},      // Furniture
      {1.1, 1.0, .9, .75, .65, .6, .65, .8, 1.1, 1.35, 1.5, 1.6},        // Lighting
      {.95, .9, .9, .9, .95, .9, .85, .9, 1.0, 1.05, 1.3, 1.6},          // Kitchen
      {1.15, 1.05, .9, .85, .8, .75, .75, .85, 1.05, 1.2, 1.3, 1.35},    // Textiles
      {.45, .6, 1.1, 1.6, 1.8, 1.55, 1.25, 1.0, .85, .65, .55, .6}};     // Garden
  return factors[category][month - 1];
}

}  // namespace

std::vector<SampleTable> make_sample_data() {
  Dice dice(20230101);
  std::vector<SampleTable> tables(4);

  // Products: forty of each category.
  auto& products = tables[0];
  products.name = "PRODUCTS";
  products.column_names = {"ID", "EAN", "TITLE", "CATEGORY", "VENDOR", "PRICE", "RATING", "CREATED_AT"};
  products.create_sql = "CREATE TABLE PRODUCTS (ID INTEGER PRIMARY KEY, EAN VARCHAR, TITLE VARCHAR, CATEGORY VARCHAR, VENDOR VARCHAR, PRICE DOUBLE, RATING DOUBLE, CREATED_AT TIMESTAMP)";
  std::vector<Product> made;
  for (int i = 0; i < 200; ++i) {
    int c = i % 5;
    auto& category = categories[static_cast<std::size_t>(c)];
    int variant = i / 5;
    Product product;
    product.title = std::string(adjectives[static_cast<std::size_t>((variant * 7 + c * 3 + variant / 10) % 20)]) + " " + std::string(category.things[static_cast<std::size_t>(variant % 10)]);
    if (variant >= 20) product.title += variant % 2 ? ", large" : ", small";
    product.vendor = std::string(dice.pick(vendors));
    product.category = c;
    product.price = cents(std::floor(dice.between(category.low, category.high)) + (dice.chance(.7) ? .9 : .5));
    product.popularity = std::exp(dice.normal() * .7) * (product.price < 100 ? 1.3 : .8);
    product.rating = std::clamp(std::round((4.1 + dice.normal() * .45) * 10) / 10, 1.5, 5.0);
    product.since = first_day + days(variant < 26 ? -dice.below(200) - 1 : dice.below(900));
    products.csv += std::to_string(i + 1) + "," + format("%d%06d%06d", 4 + dice.below(6), dice.below(1000000), dice.below(1000000)) + "," + quoted(product.title) + "," + std::string(category.name) + "," +
                    quoted(product.vendor) + "," + format("%.2f", product.price) + "," + (dice.chance(.03) ? "" : format("%.1f", product.rating)) + "," + moment_text(product.since, dice) + "\n";
    made.push_back(std::move(product));
  }
  products.rows = made.size();

  // People: more of them each year.
  auto& people = tables[1];
  people.name = "PEOPLE";
  people.column_names = {"ID", "ADDRESS", "EMAIL", "NAME", "CITY", "LONGITUDE", "STATE", "SOURCE", "BIRTH_DATE", "ZIP", "LATITUDE", "CREATED_AT"};
  people.create_sql = "CREATE TABLE PEOPLE (ID INTEGER PRIMARY KEY, ADDRESS VARCHAR, EMAIL VARCHAR, NAME VARCHAR, CITY VARCHAR, LONGITUDE DOUBLE, STATE VARCHAR, SOURCE VARCHAR, BIRTH_DATE DATE, ZIP VARCHAR, LATITUDE DOUBLE, CREATED_AT TIMESTAMP)";
  double city_weight = 0;
  for (auto& city : cities) city_weight += city.weight;
  std::vector<Person> buyers;
  int span = (last_day - first_day).count();
  for (int i = 0; i < 2500; ++i) {
    double at = dice.unit() * city_weight;
    std::size_t c = 0;
    while (c + 1 < cities.size() && at > cities[c].weight) at -= cities[c++].weight;
    auto& city = cities[c];
    auto first = dice.pick(first_names), last = dice.pick(last_names);
    // Ordered by when they came; density grows with the root of the position.
    double position = std::pow((i + .5) / 2500.0, .72);
    Person person{c, first_day + days(static_cast<int>(position * (span - 3))), std::exp(dice.normal() * .8)};
    std::string mail = std::string(first) + "." + std::string(last) + std::to_string(i % 97 + 1) + "@example.com";
    std::transform(mail.begin(), mail.end(), mail.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; });
    double source_roll = dice.unit();
    double social = .12 + .1 * position;
    auto source = source_roll < .3 ? sources[0] : source_roll < .52 ? sources[1] : source_roll < .68 ? sources[2] : source_roll < .68 + social ? sources[3] : source_roll < .94 ? sources[4] : sources[5];
    std::string birth = dice.chance(.08) ? "" : date_text(sys_days{std::chrono::year{1950 + static_cast<int>(25 + dice.normal() * 9 + 10)} / 1 / 1} + days(dice.below(365)));
    people.csv += std::to_string(i + 1) + "," + quoted(std::to_string(10 + dice.below(9800)) + " " + std::string(dice.pick(streets)) + (dice.chance(.5) ? " Street" : dice.chance(.5) ? " Avenue" : " Road")) + "," +
                  (dice.chance(.02) ? "" : mail) + "," + std::string(first) + " " + std::string(last) + "," + std::string(city.name) + "," + format("%.4f", city.longitude + dice.normal() * .09) + "," +
                  std::string(city.state) + "," + std::string(source) + "," + birth + "," + format("%05d", city.zip + dice.below(40)) + "," + format("%.4f", city.latitude + dice.normal() * .07) + "," +
                  moment_text(person.since, dice) + "\n";
    buyers.push_back(person);
  }
  people.rows = buyers.size();

  // Orders, day by day: so many as growth, season, weekday and luck say.
  auto& orders = tables[2];
  orders.name = "ORDERS";
  orders.column_names = {"ID", "USER_ID", "PRODUCT_ID", "SUBTOTAL", "TAX", "TOTAL", "DISCOUNT", "CREATED_AT", "QUANTITY"};
  orders.create_sql = "CREATE TABLE ORDERS (ID INTEGER PRIMARY KEY, USER_ID INTEGER REFERENCES PEOPLE (ID), PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID), SUBTOTAL DOUBLE, TAX DOUBLE, TOTAL DOUBLE, DISCOUNT DOUBLE, CREATED_AT TIMESTAMP, QUANTITY INTEGER)";
  struct Bought { int product, person; sys_days day; };
  std::vector<Bought> bought;
  double carry = 0;
  std::size_t known_people = 0;
  std::vector<double> people_weight;  // running sums of activity of the people who are there already
  for (sys_days day = first_day; day <= last_day; day += days(1)) {
    while (known_people < buyers.size() && buyers[known_people].since <= day) {
      people_weight.push_back((people_weight.empty() ? 0 : people_weight.back()) + buyers[known_people].activity);
      ++known_people;
    }
    if (people_weight.empty()) continue;
    year_month_day date{day};
    unsigned month = static_cast<unsigned>(date.month());
    double years = static_cast<double>((day - first_day).count()) / 365.25;
    static constexpr double weekday_factor[7] = {1.25, .95, .9, .92, .97, 1.05, 1.2};
    double expected = 7.17 * std::pow(1.32, years) * weekday_factor[std::chrono::weekday{day}.c_encoding()];
    if (date.year() == std::chrono::year{2025} && month == 6) expected *= .52;                                   // the bad month: the warehouse moved
    if (month == 11 && static_cast<unsigned>(date.day()) >= 24 && static_cast<unsigned>(date.day()) <= 30) expected *= 1.9;
    expected *= std::max(.4, 1 + dice.normal() * .14);
    // Weights of the products on sale that day.
    std::array<double, 200> weight{};
    double total_weight = 0, neutral = 0;
    for (std::size_t p = 0; p < made.size(); ++p) {
      if (made[p].since > day) continue;
      neutral += made[p].popularity;
      total_weight += made[p].popularity * season(made[p].category, month);
      weight[p] = total_weight;
    }
    double wanted = expected * total_weight / neutral + carry;
    int count = static_cast<int>(wanted);
    carry = wanted - count;
    for (int i = 0; i < count; ++i) {
      double at = dice.unit() * total_weight;
      std::size_t p = 0;
      while (p + 1 < made.size() && (weight[p] == 0 || weight[p] < at)) ++p;
      auto person = static_cast<std::size_t>(std::lower_bound(people_weight.begin(), people_weight.end(), dice.unit() * people_weight.back()) - people_weight.begin());
      person = std::min(person, people_weight.size() - 1);
      auto& city = cities[buyers[person].city];
      int quantity = made[p].price > 150 ? 1 + (dice.chance(.12) ? 1 : 0) : 1 + (dice.chance(.35) ? dice.below(4) : 0);
      double subtotal = cents(made[p].price * quantity * (1 + .035 * (years - 2)));
      bool sale = dice.chance(month == 11 || month == 1 ? .3 : .11);
      double discount = sale ? cents(subtotal * dice.between(.05, .25)) : 0;
      double tax = cents((subtotal - discount) * city.tax);
      orders.csv += std::to_string(bought.size() + 1) + "," + (dice.chance(.01) ? "" : std::to_string(person + 1)) + "," + std::to_string(p + 1) + "," + format("%.2f,%.2f,%.2f", subtotal, tax, cents(subtotal - discount + tax)) + "," +
                    (sale ? format("%.2f", discount) : "") + "," + moment_text(day, dice) + "," + std::to_string(quantity) + "\n";
      bought.push_back({static_cast<int>(p + 1), static_cast<int>(person + 1), day});
    }
  }
  orders.rows = bought.size();

  // Reviews: of one order in seventeen, some days later.
  auto& reviews = tables[3];
  reviews.name = "REVIEWS";
  reviews.column_names = {"ID", "PRODUCT_ID", "REVIEWER", "RATING", "BODY", "CREATED_AT"};
  reviews.create_sql = "CREATE TABLE REVIEWS (ID INTEGER PRIMARY KEY, PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID), REVIEWER VARCHAR, RATING INTEGER, BODY VARCHAR, CREATED_AT TIMESTAMP)";
  static constexpr std::array<std::string_view, 6> good{"Exactly what we hoped for, and well packed.", "Lovely finish. We ordered a second one.", "Feels solid and looks better than in the pictures.", "Arrived early, easy to put up.",
      "A gift that was very well received.", "Good value, would buy again."};
  static constexpr std::array<std::string_view, 4> fair{"Fine for the price.", "Colour is a little darker than shown.", "Does what it should, nothing more.", "Smaller than expected, but nice."};
  static constexpr std::array<std::string_view, 4> poor{"Arrived with a scratch.", "Wobbles on our floor; sent it back.", "The seam came loose after a month.", "Took five weeks to arrive."};
  for (auto& order : bought) {
    if (!dice.chance(.0585)) continue;
    auto day = order.day + days(3 + dice.below(25));
    if (day > last_day) continue;
    auto& product = made[static_cast<std::size_t>(order.product - 1)];
    int rating = static_cast<int>(std::clamp(std::round(product.rating + dice.normal() * .9), 1.0, 5.0));
    auto body = rating >= 4 ? dice.pick(good) : rating == 3 ? dice.pick(fair) : dice.pick(poor);
    std::string reviewer = std::string(dice.pick(first_names)) + std::to_string(dice.below(90) + 10);
    std::transform(reviewer.begin(), reviewer.end(), reviewer.begin(), [](char ch) { return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch; });
    reviews.csv += std::to_string(++reviews.rows) + "," + std::to_string(order.product) + "," + reviewer + "," + std::to_string(rating) + "," + (dice.chance(.15) ? "" : quoted(body)) + "," + moment_text(day, dice) + "\n";
  }
  return tables;
}

}  // namespace basalt::features
