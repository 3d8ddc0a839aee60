internal import GuestTree
internal import Storage

/// Whether what is added fits its file system. What counts as free is what its superblock says, as for everything that is
/// written here: blocks that ext4 keeps for root are root's, who writes these files in the guest too.
extension DriverReading {
    /// Why there is no room for an overlay beside those that are planned already.
    func roomObstacle(for overlay: PlannedOverlay, _ facts: DriverFacts) -> NotAdded? {
        let volume = guest.volumes[overlay.directory.volume]
        guard let free = volume.identity.freeByteCount else { return nil }
        let block = UInt64(max(volume.identity.blockSize ?? 4096, 1024))
        let taken = facts.overlays.filter { $0.directory.volume == overlay.directory.volume }
            .reduce(0 as UInt64) { $0 + $1.space(ofBlocks: block) }
        let needed = overlay.space(ofBlocks: block)
        guard taken + needed > free else { return nil }
        let draft = PlanDraft(guest, request, facts)
        return .noRoom(
            directory: overlay.directory.displayPath, needed: needed, free: free - min(free, taken),
            controllers: facts.table.filter(\.isDriven).map(\.controller),
            hasFallback: guest.defaultEntries.contains { draft.fallback(beside: $0) != nil })
    }
}

extension PlannedOverlay {
    /// Bytes that it takes of a file system: its blocks and one that maps them, or what it has more than the file that it
    /// takes the place of.
    func space(ofBlocks block: UInt64) -> UInt64 {
        func blocks(_ count: Int) -> UInt64 { (UInt64(count) + block - 1) / block * block }
        let all = blocks(contents.count) + block
        guard let replaces else { return all }
        let old = blocks(replaces.bytes.count)
        return all > old + block ? all - old : 0
    }
}

/// What a guest's own tools need room for once the overlay is there.
enum RoomForNext: PlanStep {
    static let repair = Repair.drivers

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.wants(.drivers) else { return }
        var told: [Int] = []
        for overlay in draft.drivers.overlays where !told.contains(overlay.directory.volume) {
            let identity = draft.guest.volumes[overlay.directory.volume].identity
            guard let free = identity.freeByteCount else { continue }
            let block = UInt64(max(identity.blockSize ?? 4096, 1024))
            let taken = draft.drivers.overlays.filter { $0.directory.volume == overlay.directory.volume }
                .reduce(0 as UInt64) { $0 + $1.space(ofBlocks: block) }
            // A tool writes the next image beside the old one before it removes that.
            let next = overlay.image.attributes.size
            guard free >= next, free - min(free, taken) < next else { continue }
            told.append(overlay.directory.volume)
            draft.advise(
                .drivers, nil,
                "\(overlay.directory.displayPath) has \(free - min(free, taken)) bytes free then, fewer than the next initramfs takes (\(next)): make room before it is made anew",
                isMinor: true)
        }
    }
}
