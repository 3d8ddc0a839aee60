internal import Storage

extension VMDKDescriptor {
    private static let sparseTypes: Set<String> = ["monolithicsparse", "streamoptimized"]
    /// Of the last three the extents say whether they lie on devices.
    private static let extentTypes: Set<String> = [
        "monolithicflat", "vmfs", "vmfsthin", "vmfsthick", "vmfseagerzeroedthick", "vmfspreallocated",
        "twogbmaxextentflat", "twogbmaxextentsparse", "2gbmaxextentflat", "2gbmaxextentsparse", "vmfssparse",
        "sesparse", "custom", "fulldevice", "partitioneddevice",
    ]
    private static let deviceTypes: [String: String] = [
        "vmfsraw": "a VMware raw device (vmfsRaw)", "vmfsrdm": "a VMware raw device mapping (vmfsRDM)",
        "vmfsrdmp": "a VMware raw device mapping (vmfsRDMP)",
        "vmfsrawdevicemap": "a VMware raw device mapping (vmfsRawDeviceMap)",
        "vmfspassthroughrawdevicemap":
            "a VMware raw device mapping (vmfsPassthroughRawDeviceMap)",
    ]

    /// Throws, by name, for everything that cannot be read here. `isEmbedded`: the descriptor lies inside the one
    /// sparse extent that it describes.
    func checkSupported(isEmbedded: Bool) throws(StorageError) {
        try refuseEncrypted()
        let type = createType ?? (isEmbedded ? "monolithicSparse" : "")
        if let device = Self.deviceTypes[type.lowercased()] {
            throw rawDevice("is \(device): its bytes are on a device of the host, not in files", "createType")
        }
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

    /// vSphere encrypts by a filter of the host's, which the disk database names; Workstation writes its keys into the text.
    private func refuseEncrypted() throws(StorageError) {
        let filters = value("ddb.iofilters")?.lowercased() ?? ""
        let keys = ["encryption.keysafe", "encryption.data", "datafilekey"]
        guard filters.contains("vmcrypt") || keys.contains(where: { value($0) != nil }) else { return }
        throw StorageError.vmdk(
            .unsupported, .encrypted,
            "the disk is encrypted by VMware; decrypt it there (VM Storage Policies, or the machine's Access Control), or export "
                + "the machine as OVF, which decrypts it",
            structure: "descriptor", field: filters.isEmpty ? "encryption" : "ddb.iofilters",
            offset: fileOffset)
    }

    /// The refusal of a disk, or a part of one, that lies on a device.
    func rawDevice(_ message: String, _ field: String? = nil) -> StorageError {
        .vmdk(
            .refused, .rawDevice,
            message + "; copy the device itself, or have VMware clone the disk into files",
            structure: "descriptor", field: field, offset: fileOffset)
    }

    /// Where the descriptor says that changes are tracked; nil where it does not. It is the map's file `file`.
    func changeTracking(file: Int) -> VMDKChangeTracking? {
        guard let name = value("changetrackpath"), !name.isEmpty else { return nil }
        let lines = lines(of: "changetrackpath").map {
            fileOffset + UInt64($0.lowerBound)..<fileOffset + UInt64($0.upperBound)
        }
        return VMDKChangeTracking(file: file, lines: lines, headers: [])
    }

    /// Throws when a change from outside would go unnoticed by changed block tracking, so that the next
    /// incremental backup would be wrong, and when the CID cannot be renewed in one place.
    func checkWritable(dropsChangeTracking: Bool) throws(StorageError) {
        guard !isRepeated("cid") else {
            throw StorageError.vmdk(
                .refused, .duplicateKey, "has the key CID twice, so that it cannot be renewed; remove one",
                structure: "descriptor", field: "CID", offset: fileOffset)
        }
        guard let name = value("changetrackpath"), !name.isEmpty, !dropsChangeTracking else { return }
        throw StorageError.vmdk(
            .refused, .changeTracking,
            "changed block tracking is on (\"\(name)\"); an offline change would make the next incremental backup wrong",
            structure: "descriptor", field: "changeTrackPath", offset: fileOffset,
            remedies: [.dropChangeTracking, .convert(options: [])])
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
        for line in extents where !line.name.isEmpty {
            let name = line.name.displayText
            guard !references.contains(where: { $0.name == name }) else { continue }
            references.append(
                ImageInfo.Reference(role: "extent", name: name, isPartOfImage: isPartOfImage))
        }
        // A disk that was consolidated may keep the name of what it no longer needs.
        let isChild = (try? parentContentID()) ?? nil
        if isChild != nil, let parent = value("parentfilenamehint") {
            references.append(ImageInfo.Reference(role: "parent", name: parent))
        }
        if let tracking = value("changetrackpath"), !tracking.isEmpty {
            references.append(ImageInfo.Reference(role: "change tracking", name: tracking))
        }
        return references
    }
}
