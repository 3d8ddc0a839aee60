internal import Storage

extension LogicalVolumeMapper {
    /// A segment of dm-raid's: its layout over the images whose superblocks say that they are current.
    mutating func map(
        _ raid: LogicalVolume.RAID, _ range: Range<UInt64>, _ title: String
    ) throws(StorageError) -> Mapped {
        guard !raid.isReshaping else {
            throw .lvm(.unsupported, .reshape, "\(title) is being reshaped; let the guest finish that first")
        }
        let layout = try layout(of: raid, title)
        let current = try currentLegs(raid, title)
        var legs: [Leg] = []
        for (image, isCurrent) in zip(raid.images, current) {
            let found = wholeLeg(image)
            legs.append(isCurrent ? found : (nil, found.refusal))
        }
        let mapped = finish(range, layout, legs, title)
        if case .unavailable = mapped.segment.content { return mapped }
        if case .parity = layout {
            return (
                mapped.segment,
                .lvm(.refused, .parity, "\(title) is \(raid.type); its parity is not written here")
            )
        }
        guard current.contains(false), !legs.contains(where: { $0.refusal != nil }) else { return mapped }
        return (
            mapped.segment,
            .lvm(
                .refused, .staleLeg, "\(title) has a leg that is out of date; let the guest rebuild it first")
        )
    }

    /// By the legs' own superblocks.
    private mutating func currentLegs(
        _ raid: LogicalVolume.RAID, _ title: String
    ) throws(StorageError) -> [Bool] {
        // RAID 0 has no copies that could differ, whatever its superblocks say.
        if raid.type.hasPrefix("raid0") { return raid.images.map { _ in true } }
        var blocks: [RAIDMetadata?] = []
        for name in raid.metadata {
            guard let name else { return raid.images.map { _ in true } }
            let device = device(name)
            guard device.byteCount >= 512, let bytes = try? device.bytes(at: 0, count: 512) else {
                blocks.append(nil)
                continue
            }
            blocks.append(RAIDMetadata(bytes))
        }
        if blocks.contains(where: { $0?.isReshaping ?? false }) {
            throw .lvm(.unsupported, .reshape, "\(title) is being reshaped; let the guest finish that first")
        }
        return RAIDMetadata.currentLegs(blocks)
    }

    private func layout(of raid: LogicalVolume.RAID, _ title: String) throws(StorageError) -> ChunkLayout {
        if raid.type == "raid1" { return .mirrored }
        let chunk = try bytes(raid.stripeSize, title)
        switch raid.type {
        case "raid0", "raid0_meta": return .striped(chunk: chunk)
        case "raid10", "raid10_near": return .raid10(chunk: chunk, near: raid.copies, far: 1, isOffset: false)
        default: break
        }
        guard let algorithm = Self.parity[raid.type] else {
            throw .lvm(.unsupported, .segmentType, "\(title) is of type \(raid.type), which is not supported")
        }
        return .parity(chunk: chunk, algorithm)
    }

    /// dm-raid's names (Documentation/admin-guide/device-mapper/dm-raid.rst).
    private static let parity: [String: ParityAlgorithm] = [
        "raid4": ParityAlgorithm(rotation: .parityFirst, parityCount: 1),
        "raid5": ParityAlgorithm(rotation: .leftSymmetric, parityCount: 1),
        "raid5_n": ParityAlgorithm(rotation: .parityLast, parityCount: 1),
        "raid5_la": ParityAlgorithm(rotation: .leftAsymmetric, parityCount: 1),
        "raid5_ra": ParityAlgorithm(rotation: .rightAsymmetric, parityCount: 1),
        "raid5_ls": ParityAlgorithm(rotation: .leftSymmetric, parityCount: 1),
        "raid5_rs": ParityAlgorithm(rotation: .rightSymmetric, parityCount: 1),
        "raid6": ParityAlgorithm(rotation: .zeroRestart, parityCount: 2),
        "raid6_zr": ParityAlgorithm(rotation: .zeroRestart, parityCount: 2),
        "raid6_nr": ParityAlgorithm(rotation: .nRestart, parityCount: 2),
        "raid6_nc": ParityAlgorithm(rotation: .nContinue, parityCount: 2),
        "raid6_n_6": ParityAlgorithm(rotation: .parityLast6, parityCount: 2),
        "raid6_la_6": ParityAlgorithm(rotation: .leftAsymmetric6, parityCount: 2),
        "raid6_ra_6": ParityAlgorithm(rotation: .rightAsymmetric6, parityCount: 2),
        "raid6_ls_6": ParityAlgorithm(rotation: .leftSymmetric6, parityCount: 2),
        "raid6_rs_6": ParityAlgorithm(rotation: .rightSymmetric6, parityCount: 2),
    ]
}
