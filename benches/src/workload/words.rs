//! The words of paths and roles.

pub const ROLES: [&str; 20] = [
    "admin",
    "auditor",
    "billing",
    "buyer",
    "clerk",
    "courier",
    "designer",
    "developer",
    "editor",
    "finance",
    "guest",
    "manager",
    "member",
    "operator",
    "owner",
    "planner",
    "reviewer",
    "seller",
    "support",
    "viewer",
];

pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// How many words the vocabulary has at each depth of a path; the first is the segment behind the first slash.
const WORDS_AT: [usize; 6] = [64, 128, 160, 200, 128, 64];

/// What a segment at `depth` (from 0) may be: a window on `WORDS`, another one at each depth.
pub fn at_depth(depth: usize) -> impl Fn(usize) -> &'static str {
    let start = depth * 37;
    move |index| WORDS[(start + index) % WORDS.len()]
}

/// How many different segments there are at `depth`.
pub fn count_at(depth: usize) -> usize {
    WORDS_AT[depth]
}

const WORDS: [&str; 200] = [
    "accounts", "orders", "users", "items", "v1", "carts", "teams", "files", "api", "shops", "rates", "plans",
    "invoices", "v2", "tasks", "notes", "tags", "roles", "groups", "events", "media", "posts", "jobs", "admin",
    "prices", "stock", "search", "v3", "reports", "alerts", "audit", "keys", "tokens", "login", "sessions", "devices",
    "eu", "sites", "pages", "forms", "drafts", "themes", "labels", "boards", "cards", "lists", "chats", "calls",
    "rooms", "beta", "desks", "seats", "trips", "cars", "routes", "stops", "fares", "rides", "parcels", "depots",
    "docks", "racks", "bins", "us", "lots", "batches", "parts", "tools", "assets", "leases", "meters", "bills",
    "funds", "loans", "claims", "quotes", "trades", "wallets", "coins", "public", "markets", "books", "bids", "asks",
    "ticks", "feeds", "topics", "queues", "hooks", "logs", "traces", "metrics", "probes", "hosts", "zones", "ap",
    "nodes", "pods", "images", "volumes", "networks", "secrets", "configs", "builds", "tests", "runs", "stages",
    "steps", "flows", "rules", "checks", "v4", "scores", "grades", "courses", "lessons", "exams", "pupils", "staff",
    "shifts", "leave", "pay", "perks", "skills", "offers", "gifts", "coupons", "s1", "points", "tiers", "badges",
    "quests", "games", "levels", "maps", "clans", "mail", "inbox", "threads", "replies", "likes", "follows", "shares",
    "s2", "albums", "tracks", "artists", "genres", "songs", "videos", "clips", "scenes", "frames", "fonts", "icons",
    "colors", "brands", "stores", "s3", "menus", "dishes", "tables", "recipes", "drinks", "guests", "hotels",
    "flights", "visas", "ports", "ships", "crews", "cargo", "fleet", "fuel", "me", "parks", "trails", "plants",
    "seeds", "farms", "crops", "fields", "wells", "tanks", "pumps", "valves", "sensors", "alarms", "locks", "doors",
    "new", "keycards", "visits", "patients", "wards", "drugs", "doses", "labs", "scans", "ehr",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ROLES, WORDS};

    #[test]
    fn no_word_is_there_twice() {
        assert_eq!(WORDS.iter().collect::<HashSet<_>>().len(), WORDS.len());
        assert_eq!(ROLES.iter().collect::<HashSet<_>>().len(), ROLES.len());
    }
}
