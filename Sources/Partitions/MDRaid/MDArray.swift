internal import Storage

/// The members of one array, and the device that they make.
struct MDArray {
    /// A member that was found.
    struct Member {
        let volume: String
        let device: any BlockDevice
        let block: MDSuperblock
    }

    let name: String
    let members: [Member]
    /// The superblock with the most events: what the array itself last knew.
    let state: MDSuperblock
    /// Further devices with the superblock of one that is used: copies of it, by volume, which are left aside.
    let copies: [String: String]

    init?(name: String, members: [Member]) {
        guard let freshest = members.max(by: { $0.block.events < $1.block.events }) else { return nil }
        self.name = name
        self.members = members
        state = freshest.block
        // Beside another member it could belong to either: only where one place alone was given is nothing put together from both.
        let current = members.filter { Self.isCurrent($0, in: freshest.block) }
        var copies: [String: String] = [:]
        if let original = current.first, Set(current.compactMap(\.block.role)).count == 1 {
            for member in current.dropFirst() where member.block.deviceUUID == original.block.deviceUUID {
                copies[member.volume] = original.volume
            }
        }
        self.copies = copies
    }

    /// Whether a member holds current data, and is no copy of another.
    func isCurrent(_ member: Member) -> Bool {
        copies[member.volume] == nil && Self.isCurrent(member, in: state)
    }

    /// The kernel takes members that are one event behind: that is what an unclean stop leaves.
    private static func isCurrent(_ member: Member, in state: MDSuperblock) -> Bool {
        guard let role = member.block.role, state.activeRoles.contains(role) else { return false }
        return member.block.events +? 1 ?? .max >= state.events && !member.block.isRecovering
    }

    /// Whether a member that is not current went on by itself: it counts on none of those that are. mdadm starts each of
    /// the two with what it believes in, whichever comes first.
    func isApart(_ member: Member) -> Bool {
        guard let role = member.block.role, member.block.activeRoles.contains(role) else { return false }
        return state.activeRoles.isDisjoint(with: member.block.activeRoles)
    }

    /// "raid1", "linear"…
    var levelName: String {
        switch state.level {
        case -1: "linear"
        case -4: "multipath"
        default: "raid\(state.level)"
        }
    }

    /// Linux starts it with so many of its members.
    func startsWith(memberCount count: Int) -> Bool {
        let needed =
            switch state.level {
            case 1: 1
            case 4, 5: state.memberCount - 1
            case 6: state.memberCount - 2
            case 10:
                state.memberCount
                    / max(1, Int(state.layout & 0xff) * max(1, Int(state.layout >> 8 & 0xff)))
            default: state.memberCount
            }
        return count >= needed
    }

    // MARK: The device

    /// The array as a device; one that throws its reason when it cannot be read.
    func device(allowDegraded: Bool) throws(StorageError) -> MappedDevice {
        do { return try map(allowDegraded: allowDegraded) } catch {
            guard error.kind != .refused else { throw error }
            let size = state.dataByteCount
            return MappedDevice(
                name: name,
                segments: size == 0 ? [] : [MappedSegment(range: 0..<size, content: .unavailable(error))],
                mappingRefusal: error)
        }
    }

    private func map(allowDegraded: Bool) throws(StorageError) -> MappedDevice {
        guard !members.contains(where: \.block.isReshaping) else {
            throw .md(.unsupported, .reshape, "\(name) is being reshaped; let the guest finish that first")
        }
        guard !state.hasJournal else {
            throw .md(
                .unsupported, .journal, "\(name) has a journal, which may hold newer data than its members")
        }
        guard state.memberCount > 0, state.memberCount <= MDSuperblock.memberLimit else {
            throw .md(.corrupt, .geometry, "\(name) claims \(state.memberCount) members")
        }
        var places: [Member?] = Array(repeating: nil, count: state.memberCount)
        for member in members where isCurrent(member) {
            guard let role = member.block.role, role < places.count else { continue }
            if let other = places[role] {
                throw .md(
                    .refused, .duplicateRole,
                    "\(other.volume) and \(member.volume) are the same member of \(name): give only one of them; one is a copy of the other"
                )
            }
            places[role] = member
        }
        if state.level == -1 { return try linear(places) }
        let layout = try layout()
        let size = try byteCount(layout, places)
        let legs = places.map { member in
            member.flatMap { MappedSegment.Leg($0.device, start: $0.block.dataOffset, needed: 0) }
        }
        // A read starts at the freshest member, whatever its place.
        let ordered = layout == .mirrored ? freshestFirst(places, legs) : legs
        let segment = MappedSegment.legs(0..<size, layout, ordered, name: name)
        if case .unavailable(let error) = segment.content { throw error }
        return MappedDevice(
            name: name, segments: [segment],
            mappingRefusal: writeRefusal(layout, places, allowDegraded: allowDegraded))
    }

    private func freshestFirst(
        _ places: [Member?], _ legs: [MappedSegment.Leg?]
    ) -> [MappedSegment.Leg?] {
        zip(places, legs).sorted { ($0.0?.block.events ?? 0) > ($1.0?.block.events ?? 0) }.map(\.1)
    }

    private func layout() throws(StorageError) -> ChunkLayout {
        let chunk = state.chunkByteCount
        switch state.level {
        case 1: return .mirrored
        case 0:
            guard chunk >= 512 else { throw .md(.corrupt, .geometry, "\(name) has no chunk size") }
            return .striped(chunk: chunk)
        case 10:
            let near = Int(state.layout & 0xff)
            let far = Int(state.layout >> 8 & 0xff)
            guard chunk >= 512, near >= 1, far >= 1, near * far <= state.memberCount, state.layout >> 17 == 0
            else { throw .md(.unsupported, .level, "\(name) has a RAID 10 layout that is not known") }
            return .raid10(chunk: chunk, near: near, far: far, isOffset: state.layout & 1 << 16 != 0)
        case 4, 5, 6:
            let number = state.level == 4 ? 5 : Int(clamping: state.layout)
            guard chunk >= 512, let rotation = ParityAlgorithm.Rotation(rawValue: number),
                state.level == 6 || number <= 5
            else { throw .md(.unsupported, .level, "\(name) has a parity layout that is not known") }
            return .parity(
                chunk: chunk, ParityAlgorithm(rotation: rotation, parityCount: state.level == 6 ? 2 : 1))
        default: throw .md(.unsupported, .level, "\(name) is of level \(levelName), which is not supported")
        }
    }

    /// The array's size: what the smallest member gives, times the members that hold different data.
    private func byteCount(_ layout: ChunkLayout, _ places: [Member?]) throws(StorageError) -> UInt64 {
        let sizes = places.compactMap { $0?.block.dataByteCount }
        guard let smallest = sizes.min(), smallest > 0 else {
            throw .md(.unsupported, .incomplete, "\(name) has no member with current data here")
        }
        let count = UInt64(state.memberCount)
        let chunk = max(state.chunkByteCount, 1)
        let rounded = smallest / chunk * chunk
        let size: UInt64?
        switch layout {
        case .linear, .mirrored: size = smallest
        case .striped:
            guard sizes.count == places.count else {
                throw .md(
                    .unsupported, .incomplete,
                    "\(name) is striped and lacks a member; give all disks of the guest")
            }
            guard sizes.allSatisfy({ $0 / chunk == smallest / chunk }) else {
                throw .md(.unsupported, .geometry, "\(name) is striped over members of different sizes")
            }
            size = rounded *? count
        case .parity(_, let algorithm):
            guard sizes.count == places.count else {
                throw .md(
                    .unsupported, .incomplete, "\(name) lacks a member; parity is not used to stand in for it"
                )
            }
            size = rounded *? (count - min(UInt64(algorithm.parityCount), count))
        case .raid10(_, let near, let far, _):
            guard far == 1 || sizes.count == places.count else {
                throw .md(.unsupported, .incomplete, "\(name) has far copies and lacks a member")
            }
            // md's raid10_size: chunks of a member over the far copies, times members, over the near copies.
            size = (rounded / chunk / UInt64(far) *? count).flatMap { $0 / UInt64(near) *? chunk }
        }
        guard let size, size > 0, size <= UInt64(Int64.max) else {
            throw .md(.corrupt, .geometry, "\(name) has an impossible size")
        }
        return size
    }

    /// One member after the other.
    private func linear(_ places: [Member?]) throws(StorageError) -> MappedDevice {
        var segments: [MappedSegment] = []
        var position: UInt64 = 0
        let chunk = max(state.chunkByteCount, 1)
        for place in places {
            guard let place else {
                throw .md(
                    .unsupported, .incomplete,
                    "\(name) is linear and lacks a member; give all disks of the guest")
            }
            let size = place.block.dataByteCount / chunk * chunk
            guard size > 0, let end = position +? size, end <= UInt64(Int64.max) else {
                throw .md(.corrupt, .geometry, "\(name) has a member of an impossible size")
            }
            let leg = MappedSegment.Leg(place.device, start: place.block.dataOffset, needed: size)
            segments.append(MappedSegment.legs(position..<end, .linear, [leg], name: name))
            position = end
        }
        return MappedDevice(name: name, segments: segments, mappingRefusal: nil)
    }

    // MARK: Writing

    /// Writing is safe when every member that the array counts on is written.
    private func writeRefusal(
        _ layout: ChunkLayout, _ places: [Member?], allowDegraded: Bool
    ) -> StorageError? {
        if case .parity = layout {
            return .md(.refused, .parity, "\(name) is \(levelName); its parity is not written here")
        }
        if !layout.isWritable {
            return .md(.refused, .level, "\(name) is RAID 10 with far copies, which are not written here")
        }
        if members.contains(where: { $0.block.isRecovering }) {
            return .md(
                .refused, .staleMember,
                "a member of \(name) is being rebuilt; let the guest finish that first")
        }
        let absent = state.activeRoles.filter { $0 >= places.count || places[$0] == nil }
        guard !absent.isEmpty, !allowDegraded else { return nil }
        return .md(
            .refused, .degraded,
            "\(name) counts on \(state.activeRoles.count) members and \(absent.count) of them is missing or out of date; give all disks of the guest"
        )
    }
}
