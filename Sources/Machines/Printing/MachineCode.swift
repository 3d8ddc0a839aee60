internal import Storage

/// What can be wrong with a description of a machine; the `code` of each error.
package enum MachineCode: String, LayerCode, CaseIterable {
    package static var layer: String { "machine" }

    // Printing.
    case noDisk = "no-disk"
    case nameNotExpressible = "name-not-expressible"
    case controllerNotExpressible = "controller-not-expressible"
    case tooManyDisks = "too-many-disks"
}
