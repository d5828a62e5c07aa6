//! The engine's vocabulary of whole words.

/// Words inside a sentence, sorted. As tokens they carry the space before them.
#[rustfmt::skip]
pub(super) const WORDS: [&str; 350] = [
    "a", "about", "above", "after", "again", "air", "all", "along", "also", "always", "am",
    "among", "an", "and", "another", "any", "are", "around", "as", "ask", "at", "away", "back",
    "be", "because", "been", "before", "began", "being", "below", "best", "better", "between",
    "big", "book", "both", "bring", "but", "by", "call", "came", "can", "carry", "change", "city",
    "clear", "close", "cold", "come", "could", "country", "cut", "day", "did", "different", "do",
    "does", "done", "door", "down", "each", "earth", "east", "easy", "eat", "end", "enough",
    "even", "every", "eye", "fact", "fall", "family", "far", "farm", "fast", "father", "feel",
    "feet", "few", "field", "find", "fire", "first", "five", "fly", "follow", "food", "for",
    "form", "found", "four", "free", "from", "full", "gave", "get", "girl", "give", "go", "good",
    "great", "green", "ground", "group", "grow", "had", "half", "hand", "hard", "has", "have",
    "he", "head", "hear", "help", "her", "here", "high", "him", "his", "hold", "home", "hour",
    "house", "how", "if", "in", "into", "is", "it", "its", "just", "keep", "kind", "king", "know",
    "land", "large", "last", "late", "learn", "leave", "left", "less", "let", "letter", "life",
    "light", "like", "line", "list", "little", "live", "long", "look", "made", "make", "man",
    "many", "may", "me", "mean", "men", "might", "mile", "mind", "moon", "more", "morning", "most",
    "mother", "mountain", "move", "much", "music", "must", "my", "name", "near", "need", "never",
    "new", "next", "night", "no", "north", "not", "note", "now", "of", "off", "often", "old", "on",
    "once", "one", "only", "open", "or", "other", "our", "out", "over", "own", "page", "paper",
    "part", "people", "place", "plan", "plant", "play", "point", "put", "question", "quick",
    "rain", "read", "ready", "red", "rest", "right", "river", "road", "rock", "room", "round",
    "run", "said", "same", "saw", "say", "school", "sea", "second", "see", "seem", "sentence",
    "set", "she", "ship", "short", "should", "show", "side", "slow", "small", "snow", "so", "some",
    "song", "soon", "sound", "south", "spell", "stand", "star", "start", "state", "stay", "still",
    "stone", "stop", "story", "street", "strong", "such", "sun", "sure", "table", "take", "talk",
    "tell", "ten", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "thing", "think", "this", "those", "though", "thought", "three", "through", "time", "to",
    "together", "too", "took", "top", "town", "travel", "tree", "true", "turn", "two", "under",
    "until", "up", "upon", "us", "use", "very", "voice", "voyage", "walk", "want", "warm", "was",
    "watch", "water", "way", "we", "week", "well", "went", "were", "west", "what", "wheel", "when",
    "where", "which", "while", "white", "who", "why", "wind", "with", "without", "wood", "word",
    "work", "world", "would", "write", "year", "yes", "yet", "you", "young", "your",
];

/// Words that open a sentence, sorted.
#[rustfmt::skip]
pub(super) const OPENERS: [&str; 32] = [
    "A", "After", "All", "Each", "Every", "From", "He", "Here", "If", "In", "It", "Later", "Many",
    "Most", "Now", "On", "Once", "One", "She", "So", "Some", "That", "The", "Then", "There",
    "They", "This", "Today", "We", "When", "While", "You",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_searched_by_halves() {
        assert!(WORDS.is_sorted() && OPENERS.is_sorted());
        assert!(
            WORDS
                .iter()
                .chain(&OPENERS)
                .all(|word| word.bytes().all(|b| b.is_ascii_alphabetic()))
        );
    }
}
