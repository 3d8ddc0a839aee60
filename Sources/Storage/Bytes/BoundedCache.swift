/// What was read or decoded lately, under a budget: what has not been asked for the longest goes first.
///
/// Looking up, keeping and dropping cost the same however much is held. A value type: it lives behind its owner's lock.
package struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @usableFromInline
    struct Slot: Sendable {
        @usableFromInline var key: Key
        @usableFromInline var value: Value
        @usableFromInline var cost: Int
        /// The slot used next before this one, and the one used next after it; -1 at the ends of the row.
        @usableFromInline var older: Int
        @usableFromInline var newer: Int

        @inlinable
        init(key: Key, value: Value, cost: Int, older: Int) {
            self.key = key
            self.value = value
            self.cost = cost
            self.older = older
            newer = -1
        }
    }

    /// The most that what is held may cost together. One value is kept whatever it costs.
    package let budget: Int
    /// What is held costs together.
    package internal(set) var cost = 0

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var places: [Key: Int] = [:]
    @usableFromInline var oldest = -1
    @usableFromInline var newest = -1

    /// An empty cache. What a value costs is up to the caller: bytes, as a rule.
    @inlinable
    package init(budget: Int) { self.budget = budget }

    /// How many values are held.
    @inlinable package var count: Int { slots.count }

    /// The value kept for `key`, which counts as used now.
    @inlinable
    package mutating func value(for key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        if place != newest { moveToEnd(place) }
        return slots[place].value
    }

    /// Keeps `value` for `key` in place of what was kept for it, and drops what is over the budget.
    @inlinable
    package mutating func keep(_ value: Value, for key: Key, cost added: Int) {
        remove(key)
        while cost + added > budget, oldest >= 0 { removeSlot(oldest) }
        places[key] = slots.count
        if newest >= 0 { slots[newest].newer = slots.count }
        slots.append(Slot(key: key, value: value, cost: added, older: newest))
        newest = slots.count - 1
        if oldest < 0 { oldest = newest }
        cost += added
    }

    /// Changes the value kept for `key` where it lies; its cost stays. Nothing happens when there is none.
    @inlinable
    package mutating func change(_ key: Key, _ body: (inout Value) -> Void) {
        guard let place = places[key] else { return }
        body(&slots[place].value)
    }

    /// Drops what is kept for `key` and returns it.
    @discardableResult
    @inlinable
    package mutating func remove(_ key: Key) -> Value? {
        guard let place = places[key] else { return nil }
        return removeSlot(place)
    }

    /// Drops everything that `isStale` says of.
    @inlinable
    package mutating func removeAll(where isStale: (Key, Value) -> Bool) {
        // Backwards: a slot that is dropped is filled with the last one, which was looked at before.
        for place in slots.indices.reversed() where isStale(slots[place].key, slots[place].value) {
            removeSlot(place)
        }
    }

    /// Drops everything.
    @inlinable
    package mutating func removeAll() { self = BoundedCache(budget: budget) }

    @inlinable
    mutating func moveToEnd(_ place: Int) {
        unlink(place)
        slots[place].older = newest
        slots[place].newer = -1
        if newest >= 0 { slots[newest].newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    @inlinable
    mutating func unlink(_ place: Int) {
        let (older, newer) = (slots[place].older, slots[place].newer)
        if older >= 0 { slots[older].newer = newer } else { oldest = newer }
        if newer >= 0 { slots[newer].older = older } else { newest = older }
    }

    @discardableResult
    @inlinable
    mutating func removeSlot(_ place: Int) -> Value {
        unlink(place)
        let gone = slots[place]
        places[gone.key] = nil
        cost -= gone.cost
        // The last slot fills the gap.
        let last = slots.count - 1
        if place != last {
            let moved = slots[last]
            slots[place] = moved
            places[moved.key] = place
            if moved.older >= 0 { slots[moved.older].newer = place } else { oldest = place }
            if moved.newer >= 0 { slots[moved.newer].older = place } else { newest = place }
        }
        slots.removeLast()
        return gone.value
    }
}
