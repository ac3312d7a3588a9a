package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	autoscalingclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	"k8s.io/client-go/scale"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

var usualGates = map[string]bool{"HPAScaleToZero": false, "HPAConfigurableTolerance": true, "PodLevelResources": true}
var gates = maps.Clone(usualGates)

func setGates(given map[string]bool) {
	for name, usual := range usualGates {
		wanted, told := given[name]
		if !told {
			wanted = usual
		}
		if gates[name] != wanted {
			text := fmt.Sprintf("%s=%t", name, wanted)
			if name == "PodLevelResources" { // another one can't be on without it
				text += fmt.Sprintf(",InPlacePodLevelResourcesVerticalScaling=%t", wanted)
			}
			if err := utilfeature.DefaultMutableFeatureGate.Set(text); err != nil {
				fail("gate %s: %v", name, err)
			}
			gates[name] = wanted
		}
	}
}

// world is the API server of one HPA and its target.
type world struct {
	meta.RESTMapper
	at       *autoscalingv1.Scale
	writable bool
	rescaled bool
	status   *autoscaling.HorizontalPodAutoscalerStatus
}

func (w *world) Scales(string) scale.ScaleInterface { return scales{world: w} }

func (w *world) HorizontalPodAutoscalers(string) autoscalingclient.HorizontalPodAutoscalerInterface {
	return statuses{world: w}
}

type statuses struct {
	autoscalingclient.HorizontalPodAutoscalerInterface
	world *world
}

func (s statuses) UpdateStatus(_ context.Context, hpa *autoscaling.HorizontalPodAutoscaler, _ metav1.UpdateOptions) (*autoscaling.HorizontalPodAutoscaler, error) {
	s.world.status = &hpa.Status
	return hpa, nil
}

func (w *world) RESTMappings(schema.GroupKind, ...string) ([]*meta.RESTMapping, error) {
	return []*meta.RESTMapping{{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}}}, nil
}

type scales struct {
	scale.ScaleInterface
	world *world
}

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	return s.world.at.DeepCopy(), nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, to *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	if !s.world.writable {
		return nil, errors.New("refused")
	}
	s.world.at, s.world.rescaled = to.DeepCopy(), true
	return to, nil
}

func reconcile(in Input) told {
	made, client := observed(in.Metrics)
	at := &autoscalingv1.Scale{}
	at.Spec.Replicas, at.Status.Replicas, at.Status.Selector = in.SpecReplicas, in.StatusReplicas, "app=one"
	if in.SelectorError == "InvalidSelector" {
		at.Status.Selector = ""
	}
	own := labels.SelectorFromSet(podLabels)
	selectors := []labels.Selector{own}
	if in.SelectorError == "AmbiguousSelector" {
		selectors = append(selectors, own)
	}
	around := &world{at: at, writable: in.ScaleWritable == nil || *in.ScaleWritable}
	opened := podautoscaler.Open(podautoscaler.OpenedParts{
		Scales: around, HPAs: around, Mapper: around, Metrics: client, Pods: lister{pods: made},
		CPUInitialization: seconds(in.Config.CPUInitialization), ReadinessDelay: seconds(in.Config.ReadinessDelay),
		Stabilization: seconds(in.Config.Stabilization), Tolerance: in.Config.Tolerance.Up,
		Recommendations: recommendations(in.Recommendations), Ups: events(in.Ups), Downs: events(in.Downs), Selectors: selectors,
	})
	hpa := autoscaler(in)
	_ = opened.Reconcile(context.Background(), hpa) // what went wrong is in the conditions
	return toldOf(hpa, around, opened)
}

func toldOf(hpa *autoscaling.HorizontalPodAutoscaler, around *world, opened podautoscaler.Opened) told {
	status := &hpa.Status
	if around.status != nil {
		status = around.status
	}
	conditions := told{}
	for _, one := range status.Conditions {
		conditions[string(one.Type)] = []any{one.Status == v1.ConditionTrue, one.Reason}
	}
	metrics := []any{}
	for _, one := range status.CurrentMetrics {
		metrics = append(metrics, usage(one))
	}
	log := []Recommendation{}
	for _, one := range opened.Recommendations() {
		log = append(log, Recommendation{one.Replicas, age(one.Time)})
	}
	return told{
		"replicas": around.at.Spec.Replicas, "rescaled": around.rescaled, "desired_replicas": status.DesiredReplicas,
		"conditions": conditions, "metrics": metrics, "recommendations": log,
		"scale_up_events": toldEvents(opened.Ups()), "scale_down_events": toldEvents(opened.Downs()),
	}
}

func usage(one autoscaling.MetricStatus) any {
	var current autoscaling.MetricValueStatus
	switch {
	case one.Resource != nil:
		current = one.Resource.Current
	case one.ContainerResource != nil:
		current = one.ContainerResource.Current
	case one.Pods != nil:
		current = one.Pods.Current
	case one.Object != nil:
		current = one.Object.Current
	case one.External != nil:
		current = one.External.Current
	default:
		return nil
	}
	quantity := current.AverageValue
	if quantity == nil {
		quantity = current.Value
	}
	return told{"usage_m": quantity.MilliValue(), "utilization": current.AverageUtilization}
}

func autoscaler(in Input) *autoscaling.HorizontalPodAutoscaler {
	hpa := &autoscaling.HorizontalPodAutoscaler{}
	hpa.Namespace, hpa.Name = "default", "hpa"
	hpa.Spec.ScaleTargetRef = autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "one"}
	hpa.Spec.MinReplicas, hpa.Spec.MaxReplicas = in.Min, in.Max
	if in.Behavior != nil {
		hpa.Spec.Behavior = in.Behavior.defaulted()
	}
	for index, one := range in.Metrics {
		hpa.Spec.Metrics = append(hpa.Spec.Metrics, metricSpec(one, nameOf(index)))
	}
	if in.ScaledToZero {
		hpa.Status.Conditions = []autoscaling.HorizontalPodAutoscalerCondition{
			{Type: autoscaling.ScaledToZero, Status: v1.ConditionTrue, Reason: "ScaledToZero"},
		}
	}
	return hpa
}

func nameOf(index int) string { return fmt.Sprintf("metric-%d", index) }

// observed gives the pods, which every metric of a case lists alike, and what the metrics read.
func observed(metrics []Metric) ([]*v1.Pod, readings) {
	client := readings{map[string]metricsclient.PodMetricsInfo{}, map[string][]int64{}}
	made := pods(metrics[0].Pods)
	for index, one := range metrics {
		if one.Fails != nil {
			continue
		}
		name := nameOf(index)
		switch one.Type {
		case "Resource":
			name = one.Resource + "/"
			request(made, one.Pods, one.Resource)
		case "ContainerResource":
			name = one.Resource + "/container"
			request(made, one.Pods, one.Resource)
		}
		client.samples[name] = samples(one.Pods, one.Unknown)
		client.values[name] = one.Values
		if one.Usage != nil {
			client.values[name] = []int64{*one.Usage}
		}
	}
	return made, client
}

func metricSpec(one Metric, name string) autoscaling.MetricSpec {
	target := autoscaling.MetricTarget{AverageUtilization: one.Target.Utilization, Type: autoscaling.UtilizationMetricType}
	if one.Target.Average != nil {
		target.AverageValue, target.Type = milli(*one.Target.Average), autoscaling.AverageValueMetricType
	}
	if one.Target.Value != nil {
		target.Value, target.Type = milli(*one.Target.Value), autoscaling.ValueMetricType
	}
	if one.Target == (Target{}) { // it fails before anyone asks for its target
		target.AverageValue, target.Type = milli(1), autoscaling.AverageValueMetricType
	}
	spec := autoscaling.MetricSpec{Type: autoscaling.MetricSourceType(one.Type)}
	metric := autoscaling.MetricIdentifier{Name: name}
	switch spec.Type {
	case autoscaling.ResourceMetricSourceType:
		spec.Resource = &autoscaling.ResourceMetricSource{Name: v1.ResourceName(one.Resource), Target: target}
	case autoscaling.ContainerResourceMetricSourceType:
		spec.ContainerResource = &autoscaling.ContainerResourceMetricSource{Name: v1.ResourceName(one.Resource), Container: "container", Target: target}
	case autoscaling.PodsMetricSourceType:
		spec.Pods = &autoscaling.PodsMetricSource{Metric: metric, Target: target}
	case autoscaling.ObjectMetricSourceType:
		spec.Object = &autoscaling.ObjectMetricSource{Metric: metric, Target: target}
	case autoscaling.ExternalMetricSourceType:
		spec.External = &autoscaling.ExternalMetricSource{Metric: metric, Target: target}
	default:
		fail("unknown metric type %s", strings.TrimSpace(one.Type))
	}
	return spec
}

func milli(value int64) *resource.Quantity {
	return resource.NewMilliQuantity(value, resource.DecimalSI)
}
