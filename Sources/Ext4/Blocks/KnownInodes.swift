internal import Storage
internal import Synchronization

/// Inodes and places of inode tables that were read and found right lately: a walk over a guest's paths comes by the same
/// directories again and again, and to check a record's sum takes longer than to find it. Nothing is kept beyond a change.
final class KnownInodes: Sendable {
    private struct State {
        /// How often all of it was forgotten.
        var age: UInt64 = 0
        var inodes = BoundedCache<UInt32, Inode>(budget: 512)
        var tables = BoundedCache<UInt64, BlockNumber>(budget: 512)
    }

    private let state = Mutex(State())

    /// What `keep` is to be given: an inode that was read before it and kept after a change is not one of the volume any more.
    var age: UInt64 { state.withLock { $0.age } }

    func inode(_ number: InodeNumber) -> Inode? { state.withLock { $0.inodes.value(for: number.rawValue) } }

    func keep(_ inode: Inode, age: UInt64) {
        state.withLock { state in
            if state.age == age { state.inodes.keep(inode, for: inode.number.rawValue, cost: 1) }
        }
    }

    /// The first block of a group's inode table.
    func table(_ group: UInt64) -> BlockNumber? { state.withLock { $0.tables.value(for: group) } }

    func keep(table: BlockNumber, of group: UInt64, age: UInt64) {
        state.withLock { state in
            if state.age == age { state.tables.keep(table, for: group, cost: 1) }
        }
    }

    /// Forgets all of it: the volume was changed.
    func forget() {
        state.withLock { state in
            state.age += 1
            state.inodes.removeAll()
            state.tables.removeAll()
        }
    }
}
