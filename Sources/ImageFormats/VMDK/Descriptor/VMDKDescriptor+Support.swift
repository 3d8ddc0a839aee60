internal import Storage

extension VMDKDescriptor {
    private static let sparseTypes: Set<String> = ["monolithicsparse", "streamoptimized"]
    private static let extentTypes: Set<String> = [
        "monolithicflat", "vmfs", "vmfsthin", "vmfsthick", "vmfseagerzeroedthick", "vmfspreallocated",
        "twogbmaxextentflat", "twogbmaxextentsparse", "2gbmaxextentflat", "2gbmaxextentsparse",
    ]
    private static let foreignTypes: [String: String] = [
        "vmfssparse": "a VMware snapshot (vmfsSparse)", "sesparse": "a VMware snapshot (seSparse)",
        "fulldevice": "a VMware disk on a whole physical device (fullDevice)",
        "partitioneddevice": "a VMware disk on a physical device's partitions (partitionedDevice)",
        "vmfsraw": "a VMware raw device (vmfsRaw)",
        "vmfsrawdevicemap": "a VMware raw device mapping (vmfsRawDeviceMap)",
        "vmfspassthroughrawdevicemap":
            "a VMware raw device mapping (vmfsPassthroughRawDeviceMap)", "custom": "a custom VMware disk",
    ]

    /// Throws, by name, for everything that cannot be read here. `isEmbedded`: the descriptor lies inside the one
    /// sparse extent that it describes.
    func checkSupported(isEmbedded: Bool) throws(StorageError) {
        let type = createType ?? (isEmbedded ? "monolithicSparse" : "")
        if let foreign = Self.foreignTypes[type.lowercased()] {
            throw StorageError.vmdk(
                .unsupported, .createType,
                "is \(foreign), which is not read yet; convert it with VMware's tools or qemu-img first",
                structure: "descriptor", field: "createType", offset: fileOffset)
        }
        try checkParent()
        let known = isEmbedded ? Self.sparseTypes : Self.extentTypes.union(Self.sparseTypes)
        guard known.contains(type.lowercased()) else {
            throw StorageError.vmdk(
                .unsupported, .createType, "disks of type \"\(type)\" are not known",
                structure: "descriptor", field: "createType", offset: fileOffset)
        }
        guard isEmbedded ? extents.count <= 1 : !extents.isEmpty else {
            throw StorageError.vmdk(
                .unsupported, .extentCount,
                isEmbedded
                    ? "an embedded descriptor of \(extents.count) extents is not known"
                    : "the descriptor has no extents",
                structure: "descriptor", offset: fileOffset)
        }
    }

    private func checkParent() throws(StorageError) {
        guard let parent = try parentContentID() else { return }
        let hint = value("parentfilenamehint").map { " \"\($0)\"" } ?? ""
        throw StorageError.vmdk(
            .unsupported, .parent,
            "is a snapshot over the parent\(hint) (CID \(parent.hex8)); disks with a parent are not read yet, "
                + "consolidate the snapshot first",
            structure: "descriptor", field: "parentCID", offset: fileOffset)
    }

    /// Throws when a change from outside would go unnoticed by changed block tracking, so that the next
    /// incremental backup would be wrong, and when the CID cannot be renewed in one place.
    func checkWritable() throws(StorageError) {
        guard !isRepeated("cid") else {
            throw StorageError.vmdk(
                .refused, .duplicateKey, "has the key CID twice, so that it cannot be renewed; remove one",
                structure: "descriptor", field: "CID", offset: fileOffset)
        }
        guard let name = value("changetrackpath"), !name.isEmpty else { return }
        throw StorageError.vmdk(
            .refused, .changeTracking,
            "changed block tracking is on (\"\(name)\"); an offline change would make the next incremental backup "
                + "wrong; turn tracking off",
            structure: "descriptor", field: "changeTrackPath", offset: fileOffset,
            remedies: [.convert(options: [])])
    }

    /// Facts for `info`.
    func details() throws(StorageError) -> [ImageInfo.Detail] {
        var details = [ImageInfo.Detail("CID", try contentID().hex8)]
        if let parent = try parentContentID() { details.append(ImageInfo.Detail("parent CID", parent.hex8)) }
        for (key, name) in [
            ("ddb.adaptertype", "adapter type"), ("ddb.virtualhwversion", "virtual hardware version"),
            ("ddb.uuid", "UUID"), ("encoding", "encoding"), ("ddb.encoding", "encoding"),
        ] {
            if let value = value(key), !details.contains(where: { $0.name == name }) {
                details.append(ImageInfo.Detail(name, value))
            }
        }
        return details
    }

    /// The files that the descriptor names, as stored.
    func references(isPartOfImage: Bool) -> [ImageInfo.Reference] {
        var references: [ImageInfo.Reference] = []
        for line in extents where line.kind != .zero {
            let name = line.name.displayText
            guard !references.contains(where: { $0.name == name }) else { continue }
            references.append(
                ImageInfo.Reference(role: "extent", name: name, isPartOfImage: isPartOfImage))
        }
        if let parent = value("parentfilenamehint") {
            references.append(ImageInfo.Reference(role: "parent", name: parent))
        }
        if let tracking = value("changetrackpath"), !tracking.isEmpty {
            references.append(ImageInfo.Reference(role: "change tracking", name: tracking))
        }
        return references
    }
}
